/*
 * containerd's own API and Kubernetes' CRI (v1) as a source, by gRPC. Two processes, as for Docker: the mover speaks HTTP/2, the caged
 * reader unpacks protobuf. Both interfaces are asked; a socket that has only one of them is fine. Live by containerd's events; CRI-O has
 * CRI's GetContainerEvents only, and only where enable_pod_events is set: without it, it is asked every 10 s, and its row says so.
 */
#ifndef NSDBG_CORE_ENGINE_CONTAINERD_H
#define NSDBG_CORE_ENGINE_CONTAINERD_H

#include "core/source.h"

/* Params: struct docker_params (core/engine/docker.h); `only` and `rest` are ignored: the whole answer is three calls. serve(): blocks of
 * target_row ("containerd", "cri") and engine_row, and with `once` then the end. */
extern const struct source containerd_source;

#endif

/* Opening libraries at run time: see lazy.h. */
#include "core/lazy.h"

#include <dlfcn.h>
#include <stddef.h>

void *lazy_open(const char *const *names)
{
	void *library = NULL;

	for (size_t i = 0; names[i] && !library; i++)
		library = dlopen(names[i], RTLD_LAZY | RTLD_LOCAL);
	return library;
}

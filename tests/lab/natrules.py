"""What iptables-save -c and nft -j say about destination NAT, in the words of nsdbg ip T nat, to compare with."""
import ipaddress
import json
import re
import shlex

ACTIONS = {"DNAT": "dnat", "REDIRECT": "redirect", "NETMAP": "dnat", "TPROXY": "tproxy"}


def network(text):
    """As nsdbg says addresses: without the prefix of a single one."""
    net = ipaddress.ip_network(text, strict=False)
    return str(net.network_address) if net.prefixlen == net.max_prefixlen else str(net)


def ports(text):
    first, _, last = text.replace("-", ":").partition(":")
    return int(first), int(last or first)


def to_of(text):
    """(address, last address, port, last port) of 10.0.0.1-10.0.0.2:80-90, [fd00::1]:80, ..."""
    if text.count(":") > 1 and not text.startswith("["):
        text = f"[{text}]"
    match = re.fullmatch(r"(?:\[([^]]+)\]|([^:]*))(?::(\d+)(?:-(\d+))?(?:/\d+)?)?", text)
    host = match[1] or match[2] or ""
    first, _, last = host.partition("-")
    port = int(match[3]) if match[3] else None
    return first or None, last or None, port, int(match[4]) if match[4] else port


def saved_rule(words):
    """One line of iptables-save -c: what a row of nsdbg would hold, once for each port or range of a list; None when it changes nothing."""
    rule = {"protocol": None, "address": None, "address_not": False, "in": None, "in_not": False}
    lists, target, to, refused = [(None, None)], None, (None, None, None, None), False
    words = iter(words)
    for word in words:
        refused, was = word == "!", refused
        if word == "-p":
            rule["protocol"] = next(words)
        elif word == "-d":
            rule["address"], rule["address_not"] = network(next(words)), was
        elif word == "-i":
            rule["in"], rule["in_not"] = next(words).replace("+", "*"), was
        elif word == "--dport":
            lists = [ports(next(words))]
        elif word == "--dports":
            lists = [ports(p) for p in next(words).split(",")]
        elif word == "-j":
            target = next(words)
        elif word == "--to-destination":
            to = to_of(next(words))
        elif word == "--to-ports":
            first, last = ports(next(words))
            to = (None, None, first, last)
        elif word == "--to":
            net = ipaddress.ip_network(next(words))
            to = (str(net[0]), str(net[-1]), None, None)
        elif word == "--on-port":
            port = int(next(words))
            to = (to[0], None, port, port)
        elif word == "--on-ip":
            to = (next(words), *to[1:])
    if target not in ACTIONS:
        return []
    rule["action"] = ACTIONS[target]
    rule["to_address"], rule["to_address_last"], rule["to_port"], rule["to_port_last"] = to
    return [{**rule, "port": first, "port_last": last} for first, last in lists]


def saved(text):
    """{(table, chain, number of the rule in its chain): (rows, packets, bytes)} of all rules that act."""
    found, table, numbers = {}, None, {}
    for line in text.splitlines():
        if line.startswith("*"):
            table, numbers = line[1:], {}
        match = re.match(r"\[(\d+):(\d+)\] -A (\S+) ?(.*)", line)
        if not match:
            continue
        numbers[match[3]] = numbers.get(match[3], 0) + 1
        rows = saved_rule(shlex.split(match[4]))
        if rows:
            found[table, match[3], numbers[match[3]]] = rows, int(match[1]), int(match[2])
    return found


FIELDS = ("protocol", "address", "address_not", "port", "port_last", "to_address", "to_address_last", "to_port", "to_port_last", "in", "in_not", "action")


def facts(row, like=None):
    """What a rule asks for nothing about, its chain may have been asked before."""
    return tuple(row[name] if (like or row)[name] is not None else None for name in FIELDS)


def differences(text, rows):
    """What iptables-save -c prints against the rows of one origin and family: a list of sentences."""
    expected, ours = saved(text), {}
    for row in rows:
        ours.setdefault((row["table"], row["chain"]), {}).setdefault(row["handle"], []).append(row)
    wrong, n = [], 0
    for table, chain in sorted({key[:2] for key in expected} | set(ours)):
        theirs = [value for key, value in expected.items() if key[:2] == (table, chain)]
        mine = [ours.get((table, chain), {})[handle] for handle in sorted(ours.get((table, chain), {}))]
        if len(theirs) != len(mine):
            wrong.append(f"{table} {chain}: {len(mine)} rules, expected {len(theirs)}")
        for (want, packets, size), have in zip(theirs, mine):
            n += 1
            if {facts(w) for w in want} != {facts(r, want[0]) for r in have}:
                wrong.append(f"{table} {chain}: {[facts(r) for r in have]}, expected {[facts(w) for w in want]}")
            if {(r["packets"], r["bytes"]) for r in have} != {(packets, size)}:
                wrong.append(f"{table} {chain}: counted {[(r['packets'], r['bytes']) for r in have]}, expected {(packets, size)}")
    return wrong, n


# --- nft -j ---

def elements(value, sets):
    """Alternatives of a right side or a map's data: plain values, (first, last), [[key, data], ...]."""
    if isinstance(value, str) and value.startswith("@"):
        return sets[value[1:]]
    if isinstance(value, dict) and "set" in value:
        return value["set"]
    return [value]


def nft_acts(rule):
    return [e for e in rule["expr"] if isinstance(e, dict) and {"dnat", "redirect", "tproxy"} & set(e)]


def alternatives(rule, sets):
    """How many rows a rule of its own makes: the product of its sets and maps."""
    n = 1
    for e in rule["expr"]:
        if "match" in e and e["match"]["op"] in ("==", "in"):
            n *= len(elements(e["match"]["right"], sets))
        for kind in ("dnat", "redirect"):
            for part in (e.get(kind) or {}).values() if isinstance(e, dict) and kind in e else ():
                if isinstance(part, dict) and "map" in part:
                    n *= len(elements(part["map"]["data"], sets))
    return n


def nft_rules(text):
    """{handle: rule} and {set: elements} of nft -j -a list table."""
    rules, sets = {}, {}
    for item in json.loads(text)["nftables"]:
        for kind in ("set", "map"):
            if kind in item:
                sets[item[kind]["name"]] = item[kind].get("elem", [])
        if "rule" in item and nft_acts(item["rule"]):
            rules[item["rule"]["handle"]] = item["rule"]
    return rules, sets


def nft_says(rule):
    """Facts that stand as plain numbers and addresses in the rule: what each of its rows must hold."""
    said = {}
    for e in rule["expr"]:
        if "counter" in e:
            said |= {"packets": e["counter"]["packets"], "bytes": e["counter"]["bytes"]}
        match = e.get("match", {})
        left, right = match.get("left", {}), match.get("right")
        field = left.get("payload", {}).get("field") if isinstance(left, dict) else None
        if field == "dport" and match["op"] == "==" and isinstance(right, int):
            said |= {"protocol": left["payload"]["protocol"], "port": right, "port_last": right}
        if field == "dport" and match["op"] == "==" and isinstance(right, dict) and "range" in right:
            said |= {"port": right["range"][0], "port_last": right["range"][1]}
        if field == "daddr" and isinstance(right, str):
            said |= {"address": right, "address_not": match["op"] == "!="}
        if field == "daddr" and isinstance(right, dict) and right.get("prefix", {"addr": "127.0.0.0"})["addr"] != "127.0.0.0":
            said |= {"address": f"{right['prefix']['addr']}/{right['prefix']['len']}"}
        for kind in ("dnat", "redirect", "tproxy"):
            what = e.get(kind) or {}
            if kind in e:
                said["action"] = kind
            if isinstance(what.get("addr"), str):
                said["to_address"] = what["addr"]
            if isinstance(what.get("port"), int):
                said |= {"to_port": what["port"], "to_port_last": what["port"]}
            if isinstance(what.get("port"), dict) and "range" in what["port"]:
                said |= {"to_port": what["port"]["range"][0], "to_port_last": what["port"]["range"][1]}
    return said

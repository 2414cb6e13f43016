"""How often which name was asked, within a bound: the rest is counted together."""

TYPES = {1: "A", 2: "NS", 5: "CNAME", 6: "SOA", 12: "PTR", 13: "HINFO", 15: "MX", 16: "TXT", 17: "RP", 18: "AFSDB", 24: "SIG", 25: "KEY",
         28: "AAAA", 29: "LOC", 33: "SRV", 35: "NAPTR", 36: "KX", 37: "CERT", 39: "DNAME", 43: "DS", 44: "SSHFP", 45: "IPSECKEY", 46: "RRSIG",
         47: "NSEC", 48: "DNSKEY", 49: "DHCID", 50: "NSEC3", 51: "NSEC3PARAM", 52: "TLSA", 53: "SMIMEA", 55: "HIP", 59: "CDS", 60: "CDNSKEY",
         61: "OPENPGPKEY", 62: "CSYNC", 63: "ZONEMD", 64: "SVCB", 65: "HTTPS", 99: "SPF", 108: "EUI48", 109: "EUI64", 249: "TKEY", 250: "TSIG",
         251: "IXFR", 252: "AXFR", 253: "MAILB", 254: "MAILA", 255: "ANY", 256: "URI", 257: "CAA"}


class Tally:
    """Exact for `most` names at a time. Names known from the periods before keep their place, so that a flood of random names cannot push them out."""

    def __init__(self, most):
        self.most, self.names, self.regulars = most, {}, {}
        self.total = self.other = self.strangers = 0

    def add(self, key, seconds):
        self.total += 1
        entry = self.names.get(key)
        if entry is not None:
            entry[0] += 1
            entry[1] = seconds
        elif key in self.regulars:
            self.names[key] = [1, seconds]
        elif self.strangers < self.most - len(self.regulars):
            self.strangers += 1
            self.names[key] = [1, seconds]
        else:
            self.other += 1

    def skip(self):
        """A query whose name could not be read."""
        self.total += 1
        self.other += 1

    def take(self):
        """(names, queries, those without a name) since the last time."""
        taken, total, other = self.names, self.total, self.other
        often = sorted((key for key in taken if taken[key][0] > 1), key=lambda key: -taken[key][0])
        ranked = dict.fromkeys(often)
        for more in (self.regulars, taken):
            for key in more:
                if len(ranked) >= self.most // 2:
                    break
                ranked[key] = None
        self.regulars = dict.fromkeys(list(ranked)[:self.most // 2])
        self.names, self.total, self.other, self.strangers = {}, 0, 0, 0
        return taken, total, other


def zone_key(text):
    """A configured zone's name (letters, digits, '-' and '_' only) in wire form."""
    labels = [label.encode("ascii") for label in text.lower().rstrip(".").split(".") if label]
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0"


def zone_of(name, zones):
    """The longest configured zone that a wire name lies in, or None."""
    at = 0
    while True:
        if name[at:] in zones:
            return name[at:]
        if not name[at]:
            return None
        at += 1 + name[at]


def presentation(name):
    """As in a zone file; any byte can be in a name."""
    if name == b"\0":
        return "."
    text, at = [], 0
    while name[at]:
        for byte in name[at + 1:at + 1 + name[at]]:
            if 33 <= byte <= 126:
                text.append("\\" + chr(byte) if chr(byte) in '."\\;()@$' else chr(byte))
            else:
                text.append("\\%03d" % byte)
        text.append(".")
        at += 1 + name[at]
    return "".join(text)


def type_name(number):
    return TYPES.get(number, "TYPE%d" % number)

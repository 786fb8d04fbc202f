/// Rules and clients out of few names, so that clients often find a rule; the same in every run.
struct RandomRules: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {  // SplitMix64
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    private static let hosts = ["mx.example", "a.mx.example", "example", "b-1.test", "a.b_c.test"]
    private static let infos = ["joe", "", "j d", "a@b", "ann"]

    mutating func pick<Element>(_ choices: [Element]) -> Element {
        choices[Int.random(in: 0..<choices.count, using: &self)]
    }
    mutating func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &self) < percent }

    /// A file of ucspi-tcp's language.
    mutating func rules() -> [UInt8] {
        var text = ""
        for _ in 0..<pick([1, 2, 3, 5, 8]) {
            if chance(10) { text += pick(["# note: x\n", "\n", " \t\n"]) }
            text += address() + ":" + pick(["allow", "deny"])
            for _ in 0..<pick([0, 0, 1, 1, 2]) { text += "," + variable() }
            text += pick(["\n", "\n", "\n", " \n", "\t \n"])
        }
        if chance(10) { text.removeLast() }
        return Array(text.utf8)
    }

    /// The file with one or two bytes changed, as by a slip.
    mutating func spoilt(_ rules: [UInt8]) -> [UInt8] {
        var rules = rules
        let slips = Array(":,=.@-#'\"! \t\n0/a\0\u{e9}".utf8)
        for _ in 0..<pick([1, 1, 2]) where !rules.isEmpty {
            let i = Int.random(in: 0..<rules.count, using: &self)
            switch pick([0, 1, 2]) {
            case 0: rules[i] = pick(slips)
            case 1: rules.remove(at: i)
            default: rules.insert(pick(slips), at: i)
            }
        }
        return rules
    }

    private mutating func number() -> String { String(pick([0, 1, 2, 10, 200, 255])) }

    mutating func dotted() -> String {
        "\(number()).\(number()).\(number()).\(number())"
    }

    private mutating func address() -> String {
        switch Int.random(in: 0..<12, using: &self) {
        case 0, 1: return dotted()
        case 2, 3, 4:
            return (0..<pick([1, 2, 3])).reduce("") { text, _ in text + number() + "." }
        case 5:
            let low = pick([0, 1, 9, 199])
            return "\(number()).\(low)-\(low + pick([0, 1, 3, 90]))."
        case 6:
            return "\(number()).\(number()).\(number()).\(pick([0, 1, 2]))-\(pick([2, 10, 255]))"
        case 7: return "=" + pick(Self.hosts)
        case 8: return pick(["=.example", "=.test", "=.mx.example", "="])
        case 9: return pick(Self.infos) + "@" + dotted()
        case 10: return pick(Self.infos) + "@=" + pick(Self.hosts)
        default: return ""
        }
    }

    private mutating func variable() -> String {
        let value = pick(["", "b", "/usr/bin/clamdscan %s", "1,2:deny", "é’", "@fix.me", "a b=c"])
        let quotes = "\"'/|+=,:;x~!#^".filter { !value.contains($0) }
        let quote = String(pick(Array(quotes)))
        return pick(["A", "QHPSI", "RELAYCLIENT", "a_1", "X-Y.z"]) + "=" + quote + value + quote
    }

    /// Somebody who connects: mostly an IPv4 address, sometimes what no tcpserver would say.
    mutating func client() -> (ip: String?, host: String?, info: String?) {
        let ip =
            chance(90)
            ? dotted() : pick([nil, "", "1.2.3", "1.2.", "2001:db8::1", "a.b", "01.2.3.4"])
        let host =
            chance(50) ? nil : pick(Self.hosts + ["", ".test", "c..example", "x.mx.example"])
        return (ip, host, chance(60) ? nil : pick(Self.infos))
    }
}

import Testbed
import Testing

/// The messages that came to a `RealMachine`'s users and to smtp-sink.
struct ArrivedMail {
    /// How often each message came to each place where it is due, by both.
    private(set) var places: [String: Int] = [:]
    /// Tries that were queued although the client heard no 250.
    private(set) var unacknowledged: Set<String> = []
    /// Copies at smtp-sink whose client was gone before their end.
    private(set) var cut = 0
    /// Numbers and tries for which 250 was said.
    private let accepted: Set<Substring>

    /// Copies beyond the first.
    var duplicates: Int { places.values.reduce(0) { $0 + $1 - 1 } }

    /// Look at all files; each must be whole, and where it belongs.
    init(_ real: RealMachine) throws {
        accepted = Set(try shell("cat '\(real.root)/accepted'").split(separator: "\n"))
        try real.machine.write("reader", RealWayScripts.reader)
        for line in try shell("perl '\(real.root)/reader' '\(real.root)'").split(separator: "\n") {
            try add(line)
        }
    }

    private mutating func add(_ line: Substring) throws {
        if line.hasPrefix("far "), line.hasSuffix(" cut") {
            cut += 1
            return
        }
        let match = try #require(
            line.wholeMatch(of: #/([a-z]+) (\S+) (\S+) m(\d+)\.(\d+) (\S+) whole/#), "\(line)")
        let number = try #require(Int(match.4))
        let copy = "\(match.1) \(match.2) \(match.3) \(match.6)"
        #expect(Self.due(number).contains(copy), "the wrong place: \(line)")
        let name = "m\(number).\(match.5)"
        places["\(name) \(match.1)", default: 0] += 1
        if !accepted.contains(name[...]) { unacknowledged.insert(name) }
    }

    /// Expect that so many messages have been accepted once, and that each is at each of its places.
    func check(_ count: Int) {
        #expect(accepted.count == count)
        var numbers: Set<Int> = []
        var missing: [String] = []
        for name in accepted {
            guard let number = Int(name.dropFirst().prefix { $0 != "." }) else {
                missing.append("\(name)?")
                continue
            }
            numbers.insert(number)
            for copy in Self.due(number) {
                let place = "\(name) \(copy.prefix { $0 != " " })"
                if places[place] == nil { missing.append(place) }
            }
        }
        #expect(numbers.count == count && numbers.min() == 1 && numbers.max() == count)
        let missed = missing.count
        #expect(missed == 0, "never delivered: \(missing.prefix(20))")
    }

    /// Where a message is to come: place, folder, recipient, verdict.
    private static func due(_ number: Int) -> [String] {
        let name = ["joe", "joe", "ann", "bob"][number % 4]
        let address = name == "bob" ? "bob@test.example" : "\(name)-m\(number)@test.example"
        let verdict = number % 10 == 7 ? "virus_found" : "clean"
        let folder = number % 10 == 7 && name != "ann" ? "Quarantine" : "Inbox"
        let here = "\(name) \(folder) \(address) \(verdict)"
        return number % 5 == 0 ? [here, "far - far-m\(number)@far.example \(verdict)"] : [here]
    }
}

import CPosix

/// The variables of a process, in order.
package struct Environment: Sendable {
    /// Each `NAME=value`.
    package private(set) var entries: [[UInt8]]

    /// No variables.
    package init() { entries = [] }

    /// What this process was given; see environ(7).
    package static var current: Environment {
        var environment = Environment()
        guard var next = cposix_environment() else { return environment }
        while let entry = next.pointee {
            environment.entries.append(bytes(of: entry))
            next += 1
        }
        return environment
    }

    /// The value of a variable, nil when it is not set.
    package subscript(_ name: StaticString) -> [UInt8]? {
        name.withUTF8Buffer { value(of: Array($0)) }
    }

    /// The value of a variable, nil when it is not set.
    package func value(of name: [UInt8]) -> [UInt8]? {
        for entry in entries where Self.isEntry(entry, of: name) {
            return Array(entry[(name.count + 1)...])
        }
        return nil
    }

    /// Set a variable, or remove it with nil.
    package mutating func set(_ name: [UInt8], _ value: [UInt8]?) {
        entries.removeAll { Self.isEntry($0, of: name) }
        if let value { entries.append(name + [UInt8(ascii: "=")] + value) }
    }

    /// Set a variable, or remove it with nil.
    package mutating func set(_ name: StaticString, _ value: [UInt8]?) {
        name.withUTF8Buffer { set(Array($0), value) }
    }

    /// Add a variable that is not set yet, without looking whether it is.
    package mutating func add(_ name: StaticString, _ value: [UInt8]) {
        var entry: [UInt8] = []
        entry.reserveCapacity(name.utf8CodeUnitCount + 1 + value.count)
        name.withUTF8Buffer { entry.append(contentsOf: $0) }
        entry.append(UInt8(ascii: "="))
        entry += value
        entries.append(entry)
    }

    /// Those variables whose whole entry satisfies the condition.
    package func filtered(_ keep: ([UInt8]) -> Bool) -> Environment {
        var kept = Environment()
        kept.entries = entries.filter(keep)
        return kept
    }

    private static func isEntry(_ entry: [UInt8], of name: [UInt8]) -> Bool {
        entry.count > name.count && entry[name.count] == UInt8(ascii: "=")
            && entry.starts(with: name)
    }
}

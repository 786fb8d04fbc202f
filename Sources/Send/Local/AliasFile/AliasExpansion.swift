import ByteText

/// What becomes of mail for an alias, when aliases of aliases are followed.
package struct AliasExpansion: Sendable {
    /// Whom to send to: addresses, and names without `@`; those that are not to be followed again with a backslash before
    /// them; each once, in order.
    package private(set) var addresses: [[UInt8]] = []
    /// Lines of shell, in order.
    package private(set) var programs: [[UInt8]] = []
    /// Mboxes, and maildirs with a slash at the end, in order.
    package private(set) var files: [[UInt8]] = []
    /// Whether a target is to throw the mail away.
    package private(set) var isDiscarding = false

    private var seen: [[UInt8]] = []

    /// More addresses one alias cannot have.
    package static let mostAddresses = 10_000

    /// Why an alias has no end.
    package enum Failure<Cause: Error>: Error {
        /// A look-up failed.
        case lookup(Cause)
        /// There are more than `mostAddresses`.
        case tooMany
        /// The file was wrong at this alias, in these words.
        case flaw(name: [UInt8], words: [UInt8])
    }

    /// Nothing yet.
    package init() {}

    /// Whether nothing is to become of it, not even to be thrown away: its aliases only mean one another.
    package var isEmpty: Bool {
        addresses.isEmpty && programs.isEmpty && files.isEmpty && !isDiscarding
    }

    /// Add the targets of an alias.
    ///
    /// A name that is an alias is followed, once; in its own targets it is the user of that name. Addresses are not
    /// followed: they are looked up when the message comes to them.
    ///
    /// - Parameters:
    ///   - name: The alias.
    ///   - targets: Its targets.
    ///   - lookup: The targets of a name in lower case; nil when it is no alias.
    ///   - include: The targets in a file, which are no files again.
    /// - Throws: When a look-up fails, or it becomes too much.
    package mutating func add<Cause: Error>(
        _ name: [UInt8], _ targets: [AliasTarget],
        lookup: ([UInt8]) throws(Cause) -> [AliasTarget]?,
        include: ([UInt8]) throws(Cause) -> [AliasTarget]
    ) throws(Failure<Cause>) {
        seen.append(name)
        var waiting: [(name: [UInt8], target: AliasTarget)] = targets.reversed().map { (name, $0) }
        while let (name, target) = waiting.popLast() {
            switch target {
            case .final(let text): if !send(asUser: text) { throw .tooMany }
            case .program(let command): programs.append(command)
            case .file(let path): if !files.contains(path) { files.append(path) }
            case .discard: isDiscarding = true
            case .flaw(let words): throw .flaw(name: name, words: words)
            case .include(let path):
                let more: [AliasTarget]
                do throws(Cause) { more = try include(path) } catch { throw .lookup(error) }
                for target in more.reversed() { waiting.append((name, target)) }
            case .address(let text):
                let key = text.lowercased
                if key == name {
                    if !send(asUser: text) { throw .tooMany }
                    continue
                }
                if text.contains(UInt8(ascii: "@")) {
                    if !send(to: text) { throw .tooMany }
                    continue
                }
                if seen.contains(key) { continue }
                let more: [AliasTarget]?
                do throws(Cause) { more = try lookup(key) } catch { throw .lookup(error) }
                guard let more else {
                    if !send(text, by: name) { throw .tooMany }
                    continue
                }
                seen.append(key)
                for target in more.reversed() { waiting.append((key, target)) }
            }
        }
    }

    /// Whether there was room for a name that is no alias: an alias of one address may mean the user of its local part.
    private mutating func send(_ text: [UInt8], by name: [UInt8]) -> Bool {
        let isOwn = name.starts(with: text.lowercased + [UInt8(ascii: "@")])
        return isOwn ? send(asUser: text) : send(to: text)
    }

    /// Whether there was room for one that is not to be followed again.
    private mutating func send(asUser name: [UInt8]) -> Bool {
        addresses.contains(name) || send(to: [UInt8(ascii: "\\")] + name)
    }

    /// Whether there was room.
    private mutating func send(to address: [UInt8]) -> Bool {
        if addresses.contains(address) { return true }
        if addresses.contains([UInt8(ascii: "\\")] + address) { return true }
        if addresses.count == Self.mostAddresses { return false }
        addresses.append(address)
        return true
    }
}

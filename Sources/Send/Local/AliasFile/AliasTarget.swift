import ByteText

/// One thing that is to become of mail for an alias; see aliases(5).
package enum AliasTarget: Equatable, Sendable {
    /// A name that may be an alias, too, or an address.
    case address([UInt8])
    /// A name that is not looked up again, after a backslash in the file.
    case final([UInt8])
    /// A line of shell.
    case program([UInt8])
    /// A file with addresses.
    case include([UInt8])
    /// An mbox, or a maildir when it ends in a slash.
    case file([UInt8])
    /// Nothing: /dev/null.
    case discard
    /// What the file has instead is wrong, in these words: mail waits until it is mended.
    case flaw([UInt8])

    private var tag: UInt8 {
        switch self {
        case .address: UInt8(ascii: "&")
        case .final: UInt8(ascii: "\\")
        case .program: UInt8(ascii: "|")
        case .include: UInt8(ascii: ":")
        case .file: UInt8(ascii: "/")
        case .discard: UInt8(ascii: "0")
        case .flaw: UInt8(ascii: "!")
        }
    }

    private var text: [UInt8] {
        switch self {
        case .address(let text), .final(let text), .program(let text), .include(let text),
            .file(let text), .flaw(let text):
            text
        case .discard: []
        }
    }

    /// The data of a record: for each target a tag, its text and a NUL.
    package static func encoded(_ targets: [AliasTarget]) -> [UInt8] {
        var data: [UInt8] = []
        for target in targets { data += [target.tag] + target.text + [0] }
        return data
    }

    /// The targets of a record's data; nil when the data are no targets.
    package static func decoded(_ data: [UInt8]) -> [AliasTarget]? {
        guard data.last == 0 else { return nil }
        var targets: [AliasTarget] = []
        for record in data.dropLast().split(separator: 0, omittingEmptySubsequences: false) {
            guard let tag = record.first else { return nil }
            let text = Array(record.dropFirst())
            switch tag {
            case UInt8(ascii: "&"): targets.append(.address(text))
            case UInt8(ascii: "\\"): targets.append(.final(text))
            case UInt8(ascii: "|"): targets.append(.program(text))
            case UInt8(ascii: ":"): targets.append(.include(text))
            case UInt8(ascii: "/"): targets.append(.file(text))
            case UInt8(ascii: "0"): targets.append(.discard)
            case UInt8(ascii: "!"): targets.append(.flaw(text))
            default: return nil
            }
        }
        return targets
    }
}

import ByteText

/// What a .qmail file says; see dot-qmail(5).
package struct DotQmail: Equatable, Sendable {
    /// What is to be done with a message, in order.
    package enum Instruction: Equatable, Sendable {
        /// Append it to this file.
        case mbox([UInt8])
        /// Deliver it into this maildir, whose path ends in a slash.
        case maildir([UInt8])
        /// Give it to this line of shell.
        case program([UInt8])
        /// Send it on to this address.
        case forward([UInt8])
    }

    /// Why a file counts for nothing and mail has to wait.
    package enum Flaw: Error, Equatable, Sendable {
        /// The first line is blank: its owner may be writing it.
        case blankFirstLine
        /// This line, counted from 1, has a NUL.
        case nul(line: Int)
        /// This line has no address behind `&`.
        case noAddress(line: Int)
    }

    /// What is to be done; comments and blank lines are none of it.
    package private(set) var instructions: [Instruction] = []
    /// The line of each, counted from 1.
    package private(set) var lines: [Int] = []
    /// Whether a line `+list` says that there are only addresses in it.
    package private(set) var isList = false

    /// The most bytes of a file.
    package static let sizeLimit = 1 << 20

    /// Parse a file's text, which has a byte at least.
    package init(_ text: [UInt8]) throws(Flaw) {
        for (i, whole) in text.lines.enumerated() {
            var line = whole[...]
            // A CR, too: an editor that writes CR LF must not turn `./Maildir/` into an mbox whose name ends in CR.
            while let last = line.last, last.isBlank { line = line.dropLast() }
            guard let first = line.first else {
                if i == 0 { throw .blankFirstLine }
                continue
            }
            if first == UInt8(ascii: "#") { continue }
            // What a C string would end at, and an envelope's record.
            if line.contains(0) { throw .nul(line: i + 1) }
            switch first {
            case UInt8(ascii: "+"):
                if Array(line).equals("+list") { isList = true }
                continue
            case UInt8(ascii: "|"):
                instructions.append(.program(Array(line.dropFirst())))
            case UInt8(ascii: "."), UInt8(ascii: "/"):
                instructions.append(Instruction(path: Array(line)))
            default:
                let address = first == UInt8(ascii: "&") ? line.dropFirst() : line
                if address.isEmpty { throw .noAddress(line: i + 1) }
                instructions.append(.forward(Array(address)))
            }
            lines.append(i + 1)
        }
    }
}

extension DotQmail.Instruction {
    /// A delivery into a file: a maildir if the path ends in a slash.
    package init(path: [UInt8]) {
        self = path.last == UInt8(ascii: "/") ? .maildir(path) : .mbox(path)
    }
}

extension DotQmail.Flaw {
    /// What is wrong, for the words about a file.
    package var text: [UInt8] {
        switch self {
        case .blankFirstLine: [UInt8]("its first line is blank")
        case .nul(let line): [UInt8]("line ") + [UInt8](decimal: line) + [UInt8](" has a NUL")
        case .noAddress(let line):
            [UInt8]("line ") + [UInt8](decimal: line) + [UInt8](" has no address")
        }
    }
}

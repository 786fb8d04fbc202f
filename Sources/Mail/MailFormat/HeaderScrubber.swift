import ByteText

/// Removes every field of the `X-QHPSI` name space from a message that passes by, so that a sender can
/// never speak for the scanner.
///
/// It works before the first empty line only, and there on every spelling some mail reader would take for such a
/// field: any case, folded over several lines, blanks before the colon or no colon, control characters in
/// the name, lines that end in CR LF, LF or a bare CR. All other bytes pass unchanged.
///
/// A field `X-Quarantine-ID` goes too when nothing has passed before it: behind the verdict's lines, where the message
/// begins, it would be taken for the queue's own.
package struct HeaderScrubber: Sendable {
    private enum State {
        /// At the start of a line, with the number of bytes of the name that matched; `held` has what was seen of it.
        case matching(Int)
        case keeping
        /// Inside a field that goes; it ends before a line that does not begin with a blank.
        case dropping
        /// The line that goes has ended: its continuation goes too.
        case droppedLine
        case body
    }

    /// The names differ from their fourth byte on.
    private static let name: [UInt8] = [UInt8]("x-qhpsi")
    private static let quarantine: [UInt8] = [UInt8]("x-quarantine-id")
    /// More control characters than this before or in a name are no spelling of it.
    private static let heldLimit = 64

    private var state = State.matching(0)
    private var held: [UInt8] = []
    /// Which of the names is being matched.
    private var matchesQuarantine = false
    /// Whether any byte of the message has passed.
    private var hasPassed = false
    /// Whether the line since the last LF has nothing but at most one CR.
    private var isEmptyLine = true
    private var lineHasReturn = false
    /// The last byte, when it was a CR that may or may not belong to a CR LF.
    private var afterReturn = false
    /// Whether a bare CR began this line.
    private var lineFollowsReturn = false
    /// Whether what precedes the dropped line ended in a bare CR, so that its LF must stay.
    private var keepsLineFeed = false
    /// How many fields have been removed.
    package private(set) var removed = 0

    package init() {}

    /// Take the next bytes of the message.
    ///
    /// - Parameters:
    ///   - input: The bytes.
    ///   - output: Where those that stay are appended.
    package mutating func push(_ input: ArraySlice<UInt8>, to output: inout [UInt8]) {
        var i = input.startIndex
        while i < input.endIndex {
            if case .body = state {
                output.append(contentsOf: input[i...])
                return
            }
            step(input[i], &output)
            i += 1
        }
    }

    /// The message is over.
    ///
    /// - Parameter output: Where the last bytes that stay are appended.
    package mutating func finish(to output: inout [UInt8]) {
        if case .matching = state { release(&output) }
    }

    private mutating func step(_ byte: UInt8, _ output: inout [UInt8]) {
        let lineFeed = byte == UInt8(ascii: "\n")
        let isReturn = byte == UInt8(ascii: "\r")
        if afterReturn, !lineFeed, !isReturn { beginLine(followsReturn: true, &output) }
        afterReturn = isReturn
        take(byte, &output)
        if lineFeed {
            let empty = isEmptyLine
            isEmptyLine = true
            lineHasReturn = false
            if empty {
                release(&output)
                state = .body
            } else {
                beginLine(followsReturn: false, &output)
            }
        } else if afterReturn, !lineHasReturn {
            lineHasReturn = true
        } else {
            isEmptyLine = false
        }
    }

    private mutating func beginLine(followsReturn: Bool, _ output: inout [UInt8]) {
        lineFollowsReturn = followsReturn
        switch state {
        case .dropping, .droppedLine: state = .droppedLine
        case .matching, .keeping:
            release(&output)
            state = .matching(0)
        case .body: break
        }
    }

    private mutating func take(_ byte: UInt8, _ output: inout [UInt8]) {
        switch state {
        case .body, .keeping:
            output.append(byte)
            hasPassed = true
        case .dropping:
            if byte == UInt8(ascii: "\n"), keepsLineFeed {
                output.append(byte)
                keepsLineFeed = false
            }
        case .droppedLine:
            if byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") {
                state = .dropping
            } else {
                state = .matching(0)
                match(byte, 0, &output)
            }
        case .matching(let matched): match(byte, matched, &output)
        }
    }

    private mutating func match(_ byte: UInt8, _ matched: Int, _ output: inout [UInt8]) {
        held.append(byte)
        let isControl = byte < 32 && byte != 9 && byte != 10 && byte != 13 || byte == 127
        if matched <= 3 {
            matchesQuarantine = matched == 3 && !hasPassed && byte.lowercased == Self.quarantine[3]
        }
        let name = matchesQuarantine ? Self.quarantine : Self.name
        if byte.lowercased == name[matched] {
            guard matched + 1 == name.count else {
                state = .matching(matched + 1)
                return
            }
            removed += 1
            held.removeAll(keepingCapacity: true)
            keepsLineFeed = lineFollowsReturn
            state = .dropping
        } else if !isControl || held.count > Self.heldLimit {
            release(&output)
            state = .keeping
        }
    }

    private mutating func release(_ output: inout [UInt8]) {
        if !held.isEmpty { hasPassed = true }
        output += held
        held.removeAll(keepingCapacity: true)
    }
}

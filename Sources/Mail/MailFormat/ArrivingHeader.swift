import ByteText

/// What is done to the header of a message that comes in below a field of ours, while it passes by.
///
/// A first line that is no field is parted from ours by an empty line, a line of an mbox before the message becomes a
/// field, and fields that a submitted message must have and has not are put at the header's end. All other bytes pass
/// unchanged.
package struct ArrivingHeader: Sendable {
    /// A field for messages without one.
    package struct Field: Sendable {
        let name: StaticString
        let text: [UInt8]

        /// A field with a name in its usual form and a text in one line.
        package init(_ name: StaticString, _ text: [UInt8]) {
            self.name = name
            self.text = text
        }
    }

    private enum State {
        /// In a line's beginning, which is held until it is known what the line is.
        case beginning
        /// In a line of a field.
        case field
        /// Behind the header, or where nothing is to be done any more.
        case passing
    }

    /// The most bytes of a field's name, as of a line, RFC 5322 §2.1.1.
    private static let heldLimit = 998

    private var state = State.beginning
    private var held: [UInt8] = []
    private var isFirstLine = true
    private var missing: [Field]

    /// A header before its first byte; each of these fields is added if the message has no field of that name.
    package init(adding fields: [Field] = []) { missing = fields }

    /// Take the next bytes of the message, lines ending in LF.
    ///
    /// - Returns: What can go on.
    package mutating func push(_ input: [UInt8]) -> [UInt8] {
        if case .passing = state { return input }
        if missing.isEmpty, isFirstLine, held.isEmpty, case .beginning = state, Self.isField(input)
        {
            // The usual way: nothing is to be done.
            state = .passing
            return input
        }
        var output: [UInt8] = []
        output.reserveCapacity(input.count + held.count)
        for (i, byte) in input.enumerated() {
            switch state {
            case .passing:
                output += input[i...]
                return output
            case .field:
                output.append(byte)
                if byte == UInt8(ascii: "\n") { endLine() }
            case .beginning:
                held.append(byte)
                decide(&output)
            }
        }
        return output
    }

    /// Whether a text surely begins with a field, and not with an mbox's line in disguise.
    private static func isField(_ text: [UInt8]) -> Bool {
        var end = 0
        while end < text.count, text[end].isNameByte { end += 1 }
        guard end > 0, text[0] != UInt8(ascii: ">") else { return false }
        while end < text.count, text[end] == 32 || text[end] == 9 { end += 1 }
        return end < text.count && text[end] == UInt8(ascii: ":")
    }

    /// Do it to the end of a text, from the byte on at which the message's next bytes begin.
    package mutating func pass(on text: inout [UInt8], from start: Int) {
        if case .passing = state { return }
        let piece = push(Array(text[start...]))
        text.replaceSubrange(start..., with: piece)
    }

    /// The message is over; what has still to be written.
    package mutating func finish() -> [UInt8] {
        var output: [UInt8] = []
        switch state {
        case .passing: break
        case .field:
            if !missing.isEmpty { output.append("\n") }
            addMissing(&output)
        case .beginning: endHeader(&output, isProper: held.isEmpty)
        }
        state = .passing
        return output
    }

    /// Look at what is held of a line; it is let go when it is known what the line is.
    private mutating func decide(_ output: inout [UInt8]) {
        let first = held[0]
        // Nothing is known before the end of a name.
        if !isFirstLine, held.count > 1, held.count < Self.heldLimit, held.last?.isNameByte == true
        {
            return
        }
        if first == UInt8(ascii: "\n") { return endHeader(&output, isProper: true) }
        if isFirstLine {
            if HeaderSeam.isNeeded(before: first) {
                addMissing(&output)
                output.append("\n")
                return pass(&output)
            }
            switch MboxLine.begins(held) {
            case true?:
                output.append(MboxLine.name)
                return beginField(&output)
            case nil where held.count < Self.heldLimit: return
            default: break
            }
        }
        if !isFirstLine, first == UInt8(ascii: " ") || first == UInt8(ascii: "\t") {
            return beginField(&output)
        }
        let name = held.prefix { $0.isNameByte }
        let rest = held[name.count...].drop { $0 == 32 || $0 == 9 }
        if rest.first == UInt8(ascii: ":"), !name.isEmpty {
            missing.removeAll { Array(name).equalsIgnoringCase($0.name) }
            beginField(&output)
        } else if !rest.isEmpty || held.count >= Self.heldLimit {
            endHeader(&output, isProper: false)
        }
    }

    /// The line is one of a field; the line feed may be held, too.
    private mutating func beginField(_ output: inout [UInt8]) {
        output += held
        let isWhole = held.last == UInt8(ascii: "\n")
        held.removeAll(keepingCapacity: true)
        state = .field
        if isWhole { endLine() }
    }

    private mutating func endLine() {
        isFirstLine = false
        state = missing.isEmpty ? .passing : .beginning
    }

    /// Before what is held the header is over: properly, with an empty line or the message's end, or where no field is.
    ///
    /// A text that has no header at all is all body: below our fields ClamAV, for one, would take its first line for one more.
    private mutating func endHeader(_ output: inout [UInt8], isProper: Bool) {
        if !isProper, isFirstLine || !missing.isEmpty {
            addMissing(&output)
            output.append("\n")
        }
        addMissing(&output)
        pass(&output)
    }

    private mutating func addMissing(_ output: inout [UInt8]) {
        for field in missing {
            output.append(field.name)
            output.append(": ")
            output += field.text
            output.append("\n")
        }
        missing.removeAll()
    }

    private mutating func pass(_ output: inout [UInt8]) {
        output += held
        held.removeAll()
        state = .passing
    }
}

extension UInt8 {
    /// Whether a field's name may have it; RFC 5322 §2.2.
    fileprivate var isNameByte: Bool { self > 32 && self < 127 && self != UInt8(ascii: ":") }
}

import ByteText
import Envelope
import Posix

/// The field of a message that VIRUSFORWARD sends elsewhere, with the recipients it was meant for.
///
/// `X-Quarantine-ID: ADDRESS,RECIPIENT,…`, a recipient a line. An envelope address may hold any byte but
/// NUL, so those that could end the line become question marks.
struct QuarantineHeader {
    let forward: [UInt8]

    private static let name: StaticString = "X-Quarantine-ID: "

    /// Put the field after the verdict's lines.
    ///
    /// The recipients are read from the envelope's file, twice, so that no number of them needs memory.
    ///
    /// - Parameters:
    ///   - message: The message.
    ///   - envelope: Whose recipients.
    /// - Throws: `QueueExit.write`.
    func insert(
        into message: borrowing StoredMessage, recipientsOf envelope: borrowing QueuedEnvelope
    ) throws(QueueExit) {
        var length = Self.name.utf8CodeUnitCount + forward.count + 1
        var lines = RecipientLines()
        try envelope.forEachRecipientPiece { (piece) throws(QueueExit) in
            length += lines.text(piece).count
        }
        try message.insert(length) { (file, start) throws(QueueExit) in
            var position = start
            try Self.write([UInt8](Self.name) + forward, to: file, &position)
            var lines = RecipientLines()
            try envelope.forEachRecipientPiece { (piece) throws(QueueExit) in
                try Self.write(lines.text(piece), to: file, &position)
            }
            try Self.write([UInt8(ascii: "\n")], to: file, &position)
        }
    }

    private static func write(
        _ text: [UInt8], to file: borrowing FileDescriptor, _ position: inout Int
    ) throws(QueueExit) {
        do throws(Errno) { try file.write(text.span.bytes, at: position) } catch { throw .write }
        position += text.count
    }
}

/// Turns recipients' records, in pieces that may begin and end anywhere, into the lines of the field.
private struct RecipientLines {
    private var expectsTag = true
    private var isRecipient = false

    mutating func text(_ piece: ArraySlice<UInt8>) -> [UInt8] {
        var text: [UInt8] = []
        for byte in piece {
            if expectsTag {
                // What the sender wants to be told about the recipient is for nobody else.
                isRecipient = byte == UInt8(ascii: "T")
                if isRecipient { text.append(",\n\t") }
                expectsTag = false
            } else if byte == 0 {
                expectsTag = true
            } else if isRecipient {
                text.append(byte.isControl ? UInt8(ascii: "?") : byte)
            }
        }
        return text
    }
}

package import Posix
package import RemoteDialogue

/// The message to be sent: a file that is read twice, first to know what it needs of a server.
package struct OutgoingMessage: ~Copyable {
    private let file: FileDescriptor
    /// All of a small message, which is then read once only.
    private let whole: [UInt8]?
    private let length: Int
    /// What it needs of a server.
    package let form: MessageForm

    private static let pieceSize = 32768

    /// Look at the message on descriptor 0.
    ///
    /// If that is no file but a pipe, it becomes a file in memory, also for who is exec'd later.
    ///
    /// - Throws: When it cannot be read.
    package init() throws(Errno) {
        var file = FileDescriptor(adopting: 0)
        var buffer = [UInt8](repeating: 0, count: Self.pieceSize)
        var form = MessageForm()
        var offset = 0
        var whole: [UInt8]?
        while true {
            let count: Int
            do throws(Errno) { count = try file.read(into: &buffer, at: offset) } catch {
                guard error == .notSeekable else { throw error }
                file = try Self.copy(file)
                continue
            }
            form.look(at: buffer[..<count])
            whole = offset == 0 ? Array(buffer[..<count]) : nil
            offset += count
            // A file gives less than it is asked for only at its end.
            if count < buffer.count { break }
        }
        form.finish()
        self.file = file
        self.form = form
        self.whole = whole
        length = offset
    }

    private static func copy(_ pipe: consuming FileDescriptor) throws(Errno) -> FileDescriptor {
        let memory = try FileDescriptor.inMemory()
        var buffer = [UInt8](repeating: 0, count: pieceSize)
        while true {
            let count = try pipe.read(into: &buffer)
            if count == 0 { break }
            try memory.write(buffer.span.bytes.extracting(first: count))
        }
        try memory.duplicate(to: 0)
        // Descriptor 0 is the copy's now and stays open with the process.
        _ = pipe.release()
        return memory
    }

    /// Hand the message over in pieces as DATA carries it, the last one with its end.
    ///
    /// - Throws: What the body throws, and what the file's read does, by way of `wrap`.
    func send<Failure: Error>(
        _ body: ([UInt8]) throws(Failure) -> Void, wrap: (Errno) -> Failure
    ) throws(Failure) {
        var encoder = DataEncoder()
        var output: [UInt8] = []
        if let whole {
            output.reserveCapacity(whole.count + whole.count / 16 + 16)
            encoder.encode(whole[...], into: &output)
            encoder.finish(into: &output)
            return try body(output)
        }
        var buffer = [UInt8](repeating: 0, count: Self.pieceSize)
        var offset = 0
        while true {
            let count: Int
            do throws(Errno) { count = try file.read(into: &buffer, at: offset) } catch {
                throw wrap(error)
            }
            if count == 0 { break }
            offset += count
            if output.count >= Self.pieceSize {
                try body(output)
                output.removeAll(keepingCapacity: true)
            }
            encoder.encode(buffer[..<count], into: &output)
        }
        // A file that has become shorter must not become a message that is.
        guard offset == length else { throw wrap(.inputOutput) }
        encoder.finish(into: &output)
        try body(output)
    }
}

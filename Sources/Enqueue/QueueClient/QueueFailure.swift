import ByteText
package import Envelope
import MailFormat
package import Posix

/// Why qmail-queue did not take a message, for callers that do not speak SMTP; see qmail-queue(8).
package struct QueueFailure: Error, Sendable {
    /// Whether the same message may be taken later.
    package let isTemporary: Bool
    /// What a sender is told, printable ASCII on one line, with the enhanced code in parentheses at its end.
    package let text: [UInt8]

    /// A failure with qmail-queue's words for an exit code.
    package init(_ exit: QueueExit) {
        isTemporary = exit.isTemporary
        text = [UInt8](exit.text) + [UInt8](" (#") + [UInt8](exit.enhancedCode) + [UInt8](")")
    }

    private init(isTemporary: Bool, text: [UInt8]) {
        self.isTemporary = isTemporary
        self.text = text
    }

    /// The failure of a run, nil when the message is queued.
    package init?(_ result: QueueRun.Result) {
        switch result.ending {
        case .exited(0):
            if result.isComplete { return nil }
            self.init(.read)
        case .exited(QueueExit.custom.rawValue):
            let isPermanent = result.text.first == UInt8(ascii: "D")
            guard result.text.count > 2, isPermanent || result.text.first == UInt8(ascii: "Z")
            else {
                self.init(.custom)
                return
            }
            self.init(
                isTemporary: !isPermanent,
                text: Array(result.text.dropFirst()).trimmed.map { $0.isPrintable ? $0 : 32 })
        case .exited(let code):
            if let exit = QueueExit(rawValue: code) {
                self.init(exit)
            } else {
                let isTemporary = QueueExit.isTemporary(unknown: code)
                self.init(isTemporary ? .custom : .refused)
            }
        case .killed: self.init(.crashed)
        }
    }
}

extension QueueRun {
    /// A message that qmail-queue took.
    package struct Queued: Sendable {
        /// The process's id, the `qp` of log lines.
        package let identifier: Int32
        /// What it reported; nil when the program at its place reports nothing.
        package let report: QueueReport?
    }

    /// Queue a whole message.
    ///
    /// - Parameters:
    ///   - head: Header fields that go before the file's bytes; those do not continue the last of them.
    ///   - file: The rest of the message, read from where it stands to its end; it stays the caller's.
    ///   - envelope: `F…`, `T…` records with their NULs, and the last NUL.
    ///   - program: qmail-queue's path.
    ///   - environment: What it runs with.
    /// - Returns: The process and its report; now the message is on the disk.
    /// - Throws: Why not; then nothing of it will be delivered.
    package static func queue(
        head: [UInt8], then file: borrowing FileDescriptor, envelope: [UInt8], program: [UInt8],
        environment: Environment
    ) throws(QueueFailure) -> Queued {
        var run: QueueRun
        do throws(Errno) {
            run = try QueueRun(
                program: program, environment: environment, original: file.rawValue)
        } catch {
            throw QueueFailure(.execQueue)
        }
        run.write(head)
        var seam = HeaderSeam()
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count: Int
            do throws(Errno) { count = try file.read(into: &buffer) } catch {
                run.abandon()
                throw QueueFailure(.read)
            }
            if count == 0 { break }
            var piece = count == buffer.count ? buffer : Array(buffer[..<count])
            if !head.isEmpty { seam.close(&piece, from: 0) }
            run.write(piece)
        }
        let identifier = run.identifier
        let result = run.finish(envelope: envelope)
        if let failure = QueueFailure(result) { throw failure }
        return Queued(identifier: identifier, report: result.report)
    }
}

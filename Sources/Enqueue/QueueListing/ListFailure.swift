import ByteText
import Posix

/// Why a queue cannot be looked at.
struct ListFailure: Error {
    let text: [UInt8]
    /// Whether the queue is there, and not for this user.
    let isDenied: Bool

    init(_ verb: StaticString, _ path: [UInt8], _ reason: Errno) {
        text = [UInt8]("unable to ") + [UInt8](verb) + [32] + path + [UInt8](": ") + reason.text
        isDenied = reason == .accessDenied
    }

    init(_ text: [UInt8]) {
        self.text = text
        isDenied = false
    }
}

/// Runs a look at the queues as a program.
enum ListProgram {
    private static let whomToAsk: StaticString =
        "only root can see who sends mail to whom; for what became of your mail, write to postmaster"
    static let misused: Int32 = 100
    static let unable: Int32 = 111

    /// Do it for the queues that the arguments name, or else all of this instance.
    ///
    /// - Parameters:
    ///   - name: The program's.
    ///   - work: What to do.
    /// - Returns: The exit code.
    static func run(
        _ name: StaticString, _ work: ([ListedQueue], inout ListOutput) throws(ListFailure) -> Void
    ) -> Int32 {
        // Whoever reads the list may leave early; then writing is the error, not a signal.
        Signal.brokenPipe.ignore()
        let arguments = Process.arguments
        if let option = arguments.dropFirst().first(where: { $0.first == UInt8(ascii: "-") }) {
            let usage =
                [UInt8](name) + [UInt8](": usage: ") + [UInt8](name)
                + [UInt8](" [queue-folder ...]\n")
            let isQuestion = option.equals("--help") || option.equals("--version")
            let told = FileDescriptor.tell(usage, on: isQuestion ? 1 : 2)
            return isQuestion ? (told ? 0 : unable) : misused
        }
        do throws(ListFailure) {
            var output = ListOutput()
            try work(try ListedQueue.all(Array(arguments.dropFirst())), &output)
            try output.flush()
            return 0
        } catch {
            var said = [UInt8](name) + [UInt8](": fatal: ") + error.text + [10]
            if error.isDenied {
                said += [UInt8](name) + [UInt8](": ") + [UInt8](whomToAsk) + [10]
            }
            FileDescriptor.tell(said, on: 2)
            return unable
        }
    }
}

/// Descriptor 1, written in big pieces.
struct ListOutput {
    private var pending: [UInt8] = []
    private static let pieceSize = 1 << 15

    mutating func write(_ bytes: [UInt8]) throws(ListFailure) {
        pending += bytes
        if pending.count >= Self.pieceSize { try flush() }
    }

    mutating func flush() throws(ListFailure) {
        let output = FileDescriptor(adopting: 1)
        var failure: Errno?
        do throws(Errno) { try output.write(pending) } catch { failure = error }
        _ = output.release()
        if let failure { throw ListFailure("write", [UInt8]("the list"), failure) }
        pending.removeAll(keepingCapacity: true)
    }
}

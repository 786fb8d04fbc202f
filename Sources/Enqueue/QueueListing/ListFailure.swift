import ByteText
import CommandLine
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

    /// Do it for the queues that the arguments name, or else all of this instance.
    ///
    /// - Parameters:
    ///   - program: Which.
    ///   - work: What to do.
    /// - Returns: The exit code.
    static func run(
        _ program: Program, _ work: ([ListedQueue], inout ListOutput) throws(ListFailure) -> Void
    ) -> Int32 {
        // Whoever reads the list may leave early; then writing is the error, not a signal.
        Signal.brokenPipe.ignore()
        let arguments = Process.arguments
        if arguments.dropFirst().contains(where: { $0.first == UInt8(ascii: "-") }) {
            return program.misused()
        }
        do throws(ListFailure) {
            var output = ListOutput()
            try work(try ListedQueue.all(Array(arguments.dropFirst())), &output)
            try output.flush()
            return 0
        } catch {
            let code = program.fatal(error.text)
            if error.isDenied { program.say([UInt8](whomToAsk)) }
            return code
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

import ByteText
import Posix

/// The program vfilter(8).
package enum VfilterProgram {
    /// A file in tmp/ is taken for abandoned after 36 hours, so the process must be over by then.
    private static let lifetime: UInt32 = 86400

    /// Filter the message on descriptor 0, as qmail-local(8) runs a program.
    ///
    /// - Returns: 0 when no rule fits and the delivery is to go on; 99 when the message is delivered; 100 when the
    ///   sender is to get it back; 111 when it must be tried again.
    package static func run() -> Int32 {
        Process.setFileModeMask(0o077)
        Signal.brokenPipe.ignore()
        Signal.fileSize.ignore()
        Signal.alarm.exitsProcess(with: VfilterExit.deferred.rawValue)
        Alarm.set(seconds: lifetime)
        let result: Vfilter.Result
        do throws(Errno) {
            result = Vfilter.run(
                Array(Process.arguments.dropFirst()), environment: Environment.current,
                message: try message())
        } catch {
            result = Vfilter.Result(.message(error), after: [])
        }
        FileDescriptor.tell(result.text, on: 1)
        return result.code
    }

    /// The message as a file that can be read more than once.
    private static func message() throws(Errno) -> FileDescriptor {
        let input = FileDescriptor(adopting: 0)
        if try input.status().kind == .file { return input }
        let copy = try FileDescriptor.inMemory()
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = try input.read(into: &buffer)
            if count == 0 { break }
            try copy.write(Array(buffer[..<count]))
        }
        return copy
    }
}

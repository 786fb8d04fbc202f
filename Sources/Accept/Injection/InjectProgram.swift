import ByteText
package import CommandLine
import ControlFiles
import Posix

/// The program qmail-inject(8).
package enum InjectProgram {
    /// Send the message on descriptor 0.
    ///
    /// - Returns: 0 when it is in the queue, or printed; 100 when it cannot be sent; 111 when it may be later.
    package static func run(_ program: Program) -> Int32 {
        guard let options = InjectOptions(Process.arguments.dropFirst()) else {
            return program.misused()
        }
        do throws(InjectFailure) {
            try inject(options)
            return 0
        } catch {
            return program.fatal(error.text, error.code)
        }
    }

    private static func inject(_ options: InjectOptions) throws(InjectFailure) {
        // Whoever reads what it prints may leave early; then writing is the error, not a signal.
        Signal.brokenPipe.ignore()
        do throws(Errno) { try Process.fillStandardDescriptors() } catch {
            throw InjectFailure(InjectFailure.temporary, error.text)
        }
        let environment = Environment.current
        let settings: InjectSettings
        let whole: Environment
        do throws(ControlFailure) {
            settings = try InjectSettings(
                environment, process: Process.identifier, user: Process.realUser,
                time: Clock.secondsAndMicroseconds)
            whole = try LocalSettings.completed(environment, Instance.current(environment))
        } catch {
            throw InjectFailure(InjectFailure.temporary, error.text)
        }
        var injection = Injection(options, settings, from: FileDescriptor(adopting: 0))
        try injection.run(whole)
    }
}

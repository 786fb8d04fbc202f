import ByteText
package import Posix

/// A scanner that is a program.
package enum CommandRun {
    /// Where a program without a slash in its name is looked for when `PATH` is not set.
    static let path: StaticString = "/usr/local/bin:/usr/bin:/bin"

    /// Become the program; see execve(2).
    ///
    /// - Parameters:
    ///   - arguments: The program first, by path or, without a slash, by name.
    ///   - environment: Its variables.
    /// - Returns: Only when it cannot be run: why.
    package static func execute(_ arguments: [[UInt8]], _ environment: Environment) -> Errno {
        guard let program = arguments.first, !program.isEmpty else { return .noSuchFile }
        if program.contains(UInt8(ascii: "/")) {
            return Process.execute(program, arguments: arguments, environment: environment)
        }
        var reason = Errno.noSuchFile
        let folders = environment["PATH"] ?? [UInt8](path)
        for folder in folders.split(separator: UInt8(ascii: ":"))
        where folder.first == UInt8(ascii: "/") {
            let failure = Process.execute(
                folder + [UInt8(ascii: "/")] + program, arguments: arguments,
                environment: environment)
            // As execvp(3): a file that may not be run is remembered, and the search goes on.
            if failure == .accessDenied { reason = failure }
            if failure != .accessDenied, failure != .noSuchFile, failure != .notDirectory {
                return failure
            }
        }
        return reason
    }
}

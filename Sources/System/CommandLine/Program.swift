import ByteText
import Posix

/// What a program says of itself, and how it ends when it cannot go on.
///
/// `PROGRAM --help` and `PROGRAM --version` are answered by every program, see qhpsi-intro(7).
package struct Program: Sendable {
    /// As it is typed, without a folder.
    package let name: StaticString
    /// What is to be typed, the name included; several lines for several ways.
    package let usage: StaticString

    /// A program of this name.
    package init(_ name: StaticString, usage: StaticString) {
        self.name = name
        self.usage = usage
    }

    /// The exit code of wrong arguments, and of what will not be better another time; qmail-command's.
    package static var permanent: Int32 { 100 }
    /// The exit code of what may be better another time.
    package static var temporary: Int32 { 111 }

    /// The packages' version.
    package static var version: StaticString { "0.1" }

    /// Be the program, unless it is only asked for its usage or version.
    ///
    /// - Returns: The exit code.
    package func run(_ work: (Program) -> Int32) -> Int32 {
        let arguments = Process.arguments
        if arguments.count == 2 {
            if arguments[1].equals("--help") { return answer(usageLine) }
            if arguments[1].equals("--version") {
                return answer(
                    [UInt8](name) + [UInt8](" (QHPSI) ") + [UInt8](Self.version) + [10])
            }
        }
        return work(self)
    }

    /// Say on descriptor 2 what is to be typed.
    ///
    /// - Returns: `permanent`.
    package func misused() -> Int32 {
        FileDescriptor.tell(usageLine, on: 2)
        return Self.permanent
    }

    /// Say on descriptor 2 why it cannot go on: `NAME: fatal: TEXT`.
    ///
    /// - Returns: The code, by default `temporary`.
    package func fatal(_ text: [UInt8], _ code: Int32 = Program.temporary) -> Int32 {
        say([UInt8]("fatal: ") + text)
        return code
    }

    /// Say a line on descriptor 2, the name before it.
    package func say(_ text: [UInt8]) {
        FileDescriptor.tell([UInt8](name) + [UInt8](": ") + text + [10], on: 2)
    }

    private func answer(_ text: [UInt8]) -> Int32 {
        FileDescriptor.tell(text, on: 1) ? 0 : Self.temporary
    }

    private var usageLine: [UInt8] {
        [UInt8](name) + [UInt8](": usage: ") + [UInt8](usage) + [10]
    }
}

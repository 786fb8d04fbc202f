import ByteText
import Posix

/// What the tools of rules print, and how they end.
package enum ToolOutput {
    /// Exit codes, the same as ucspi-tcp's.
    package static let misused: Int32 = 100
    package static let unable: Int32 = 111

    /// Write a text to a descriptor; 111 when that fails, else the code.
    package static func write(_ text: [UInt8], to descriptor: Int32 = 1, code: Int32) -> Int32 {
        let output = FileDescriptor(adopting: descriptor)
        var code = code
        do throws(Errno) { try output.write(text) } catch { code = unable }
        _ = output.release()
        return code
    }

    /// Write a program's last words to descriptor 2.
    package static func fail(_ program: StaticString, _ text: [UInt8], code: Int32) -> Int32 {
        let line = [UInt8](program) + [UInt8](": fatal: ") + text + [10]
        return write(line, to: 2, code: code)
    }

    /// Print how a program is used: to descriptor 1 when it was asked, else to 2 and the code is 100.
    package static func usage(_ text: StaticString, arguments: [[UInt8]]) -> Int32 {
        let isQuestion =
            arguments.count == 2
            && (arguments[1].equals("--help") || arguments[1].equals("--version"))
        return isQuestion
            ? write([UInt8](text), code: 0) : write([UInt8](text), to: 2, code: misused)
    }
}

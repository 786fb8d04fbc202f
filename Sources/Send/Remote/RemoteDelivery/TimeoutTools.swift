import ByteText
import ControlFiles
package import Posix

/// The programs qmail-tcpto(8) and qmail-tcpok(8).
package enum TimeoutTools {
    private static let misused: Int32 = 100
    private static let unable: Int32 = 111

    /// Write a line for each address that did not answer, and come back with the exit code.
    package static func list(_ environment: Environment) -> Int32 {
        guard Process.arguments.count == 1 else {
            return usage("qmail-tcpto: shows which servers' addresses did not answer\n")
        }
        let memory = TimeoutMemory(of: Instance.current(environment))
        do throws(Errno) {
            var text: [UInt8] = []
            let now = Clock.seconds
            for entry in try memory.table().entries { add(entry, now: now, &text) }
            return FileDescriptor.tell(text, on: 1) ? 0 : unable
        } catch {
            return fail("qmail-tcpto: fatal: unable to read ", memory, error)
        }
    }

    private static func add(_ entry: TimeoutTable.Entry, now: Int, _ text: inout [UInt8]) {
        entry.address.append(to: &text)
        text.append(" timed out ")
        text.append(decimal: max(0, now - entry.time))
        text.append(" seconds ago; in a row: ")
        text.append(decimal: entry.count)
        if entry.count > 1, now < entry.end {
            text.append("; left alone for ")
            text.append(decimal: entry.end - now)
            text.append(" seconds more")
        }
        text.append("\n")
    }

    /// Forget all of them, and come back with the exit code.
    package static func forget(_ environment: Environment) -> Int32 {
        guard Process.arguments.count == 1 else {
            return usage("qmail-tcpok: lets servers be asked that did not answer\n")
        }
        let memory = TimeoutMemory(of: Instance.current(environment))
        do throws(Errno) {
            try memory.update { $0.clear() }
            return 0
        } catch {
            return fail("qmail-tcpok: fatal: unable to change ", memory, error)
        }
    }

    private static func usage(_ text: StaticString) -> Int32 {
        let arguments = Process.arguments
        let asksForHelp = arguments.count == 2 && arguments[1].starts(with: "--")
        FileDescriptor.tell([UInt8](text), on: asksForHelp ? 1 : 2)
        return asksForHelp ? 0 : misused
    }

    private static func fail(_ what: StaticString, _ memory: TimeoutMemory, _ reason: Errno)
        -> Int32
    {
        FileDescriptor.tell(
            [UInt8](what) + memory.path + [UInt8](": ") + reason.text + [UInt8]("\n"), on: 2)
        return unable
    }
}

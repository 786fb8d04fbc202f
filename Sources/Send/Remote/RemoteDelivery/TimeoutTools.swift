import ByteText
package import CommandLine
import ControlFiles
package import Posix

/// The programs qmail-tcpto(8) and qmail-tcpok(8).
package enum TimeoutTools {
    /// Write a line for each address that did not answer, and come back with the exit code.
    package static func list(_ program: Program, _ environment: Environment) -> Int32 {
        guard Process.arguments.count == 1 else { return program.misused() }
        let memory = TimeoutMemory(of: Instance.current(environment))
        do throws(Errno) {
            var text: [UInt8] = []
            let now = Clock.seconds
            for entry in try memory.table().entries { add(entry, now: now, &text) }
            return FileDescriptor.tell(text, on: 1) ? 0 : Program.temporary
        } catch {
            return fail(program, "unable to read ", memory, error)
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
    package static func forget(_ program: Program, _ environment: Environment) -> Int32 {
        guard Process.arguments.count == 1 else { return program.misused() }
        let memory = TimeoutMemory(of: Instance.current(environment))
        do throws(Errno) {
            try memory.update { $0.clear() }
            return 0
        } catch {
            return fail(program, "unable to change ", memory, error)
        }
    }

    private static func fail(
        _ program: Program, _ what: StaticString, _ memory: TimeoutMemory, _ reason: Errno
    ) -> Int32 {
        program.fatal([UInt8](what) + memory.path + [UInt8](": ") + reason.text)
    }
}

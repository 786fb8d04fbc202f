import CPosix

/// What this process has started, and what that has started in turn, in whatever session or group.
///
/// Of a process that has no threads.
package enum Descendants {
    /// Become the parent of each whose parent ends; see prctl(2), PR_SET_CHILD_SUBREAPER.
    package static func adopt() throws(Errno) { try retrying { cposix_adopt_orphans() } }

    /// Kill all and wait until they are gone.
    ///
    /// One that is killed leaves its children to us, if `adopt` was called, so that rounds of killing children reach
    /// all, and ECHILD means that there is none; see wait(2).
    ///
    /// - Parameter deadline: When to give up.
    /// - Returns: False when some are left, for instance because /proc, which names them, is not there.
    /// - Throws: When waiting fails, which it does for no known reason.
    package static func end(until deadline: Deadline) throws(Errno) -> Bool {
        var former: [Int32] = []
        while true {
            guard try forgetEnded() else { return true }
            let children = children()
            for child in children {
                // ESRCH: it has ended; EPERM: it is another user's, and waiting for it ends at the deadline.
                _ = CPosix.kill(child, SIGKILL)
            }
            if deadline.hasPassed { return false }
            // New ones, which a process that starts them as fast as it can has left to us, are not waited for.
            if children == former { Clock.sleep(milliseconds: 1) }
            former = children
        }
    }

    /// Wait for those that have ended already; false when there is no child at all any more.
    private static func forgetEnded() throws(Errno) -> Bool {
        while true {
            do throws(Errno) {
                if try retrying({ cposix_forget_ended() }) == 0 { return true }
            } catch {
                if error == .noChild { return false }
                throw error
            }
        }
    }

    /// The children that /proc names; see proc(5).
    private static func children() -> [Int32] {
        let text: [UInt8]
        do throws(Errno) {
            text = try Files.contents(Array("/proc/thread-self/children".utf8))
        } catch {
            return childrenAmongAll()
        }
        return text.split(separator: UInt8(ascii: " ")).compactMap { number(Array($0)) }
    }

    /// The same where the kernel keeps no list: by the parent's number in each process's status.
    private static func childrenAmongAll() -> [Int32] {
        let names: [[UInt8]]
        do throws(Errno) { names = try Files.names(in: Array("/proc".utf8)) } catch {
            return []
        }
        return names.compactMap { name in
            guard let process = number(name) else { return nil }
            let stat: [UInt8]
            do throws(Errno) {
                stat = try Files.contents(
                    Array("/proc/".utf8) + name + Array("/stat".utf8), limit: 4096)
            } catch {
                return nil  // It has ended.
            }
            // `NUMBER (NAME) STATE PARENT …`, and the name may have any bytes.
            guard let end = stat.lastIndex(of: UInt8(ascii: ")")) else { return nil }
            let fields = stat[(end + 1)...].split(separator: UInt8(ascii: " "))
            guard fields.count > 1, number(Array(fields[1])) == Process.identifier else {
                return nil
            }
            return process
        }
    }

    /// A process's number in digits; nil when the name is no number, or above what a kernel gives.
    private static func number(_ digits: [UInt8]) -> Int32? {
        var value: Int32 = 0
        guard !digits.isEmpty, digits.count < 10 else { return nil }
        for digit in digits {
            guard digit >= UInt8(ascii: "0"), digit <= UInt8(ascii: "9") else { return nil }
            value = value * 10 + Int32(digit - UInt8(ascii: "0"))
        }
        return value
    }
}

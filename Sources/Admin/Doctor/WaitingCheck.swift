import AdminReport
import ByteText
import ControlFiles
import Posix

/// Mail that has waited in the queues for long, for its servers or for a scan.
enum WaitingCheck {
    private static let day = 86400
    private static let hour = 3600

    @Sendable static func look(_ machine: Machine, _ found: inout Examination) {
        let service = String(printable: machine.instance.path("/etc/service/qmail-send"))
        let (held, longest) = files(of: "hold", olderThan: hour, machine, &found)
        if held > 0 {
            found.problem(
                "\(held) message\(held == 1 ? " is" : "s are") held for a scan, the longest for \(longest / hour) hours",
                why:
                    "nobody gets what the scanner of local mail has not seen; qmail-send's log says why, behind outcome=held",
                repair: "svc -a \(service)")
        }
        let (count, oldest) = files(of: "mess", olderThan: day, machine, &found)
        if count > held {
            found.advice(
                "\(count) message\(count == 1 ? " has" : "s have") waited for more than a day, the longest for \(oldest / day)",
                why:
                    "its servers do not answer or put it off, or a mailbox cannot be written; in the end its sender gets it back",
                repair:
                    "mailq; grep deferral /var/log/qhpsi/qmail-send/current | tail; svc -a \(service)"
            )
        }
        found.wellIfNothing("no mail has waited for a day, or an hour for a scan")
    }

    /// How many files of a folder of all queues have at least this age in seconds, and the age of the oldest.
    private static func files(
        of name: String, olderThan limit: Int, _ machine: Machine, _ found: inout Examination
    ) -> (count: Int, oldest: Int) {
        var count = 0
        var oldest = 0
        for queue in machine.queueNames {
            let path = machine.instance.spool + Array("/\(queue)/\(name)".utf8)
            do throws(Errno) {
                for number in try Files.names(in: path) {
                    let folder = path + Array("/".utf8) + number
                    for name in try Files.names(in: folder) {
                        guard let age = age(folder + Array("/".utf8) + name, machine.now) else {
                            continue
                        }
                        oldest = max(oldest, age)
                        if age >= limit { count += 1 }
                    }
                }
            } catch {
                found.unchecked(
                    "\(String(printable: path)): \(String(printable: error.text))",
                    why: "mail may have waited there for long", repair: "run it as root")
            }
        }
        return (count, oldest)
    }

    /// Since the message was queued, in seconds; nil when it is gone meanwhile.
    private static func age(_ path: [UInt8], _ now: Int) -> Int? {
        do throws(Errno) {
            let (age, overflow) = now.subtractingReportingOverflow(
                try FileStatus(of: path).modified)
            return overflow ? nil : age
        } catch {
            return nil
        }
    }
}

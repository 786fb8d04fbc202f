import AdminReport
import ByteText
import ControlFiles
import Posix

/// Mail that has waited in the queues for long.
enum WaitingCheck {
    private static let day = 86400

    @Sendable static func look(_ machine: Machine, _ found: inout Examination) {
        var count = 0
        var oldest = 0
        for queue in machine.queueNames {
            let mess = machine.instance.spool + Array("/\(queue)/mess".utf8)
            do throws(Errno) {
                for number in try Files.names(in: mess) {
                    let folder = mess + Array("/".utf8) + number
                    for name in try Files.names(in: folder) {
                        guard let age = age(folder + Array("/".utf8) + name, machine.now) else {
                            continue
                        }
                        oldest = max(oldest, age)
                        if age >= day { count += 1 }
                    }
                }
            } catch {
                found.unchecked(
                    "\(String(printable: mess)): \(String(printable: error.text))",
                    why: "mail may have waited there for long", repair: "run it as root")
            }
        }
        if count > 0 {
            let service = String(printable: machine.instance.path("/etc/service/qmail-send"))
            found.advice(
                "\(count) message\(count == 1 ? " has" : "s have") waited for more than a day, the longest for \(oldest / day)",
                why:
                    "its servers do not answer or put it off, or a mailbox cannot be written; in the end its sender gets it back",
                repair:
                    "mailq; grep deferral /var/log/qhpsi/qmail-send/current | tail; svc -a \(service)"
            )
        }
        found.wellIfNothing("no mail has waited for a day")
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

import AdminReport
import ByteText
import ControlFiles
import Posix

/// The queues: those that settings name exist, and queue-fix(8) finds no fault with any.
enum QueueCheck {
    /// A queue of millions of messages takes its time.
    private static let patience = 600

    @Sendable static func look(_ machine: Machine, _ found: inout Examination) {
        for name in missing(machine) {
            let queue = String(printable: machine.instance.spool) + "/" + name
            found.problem(
                "there is no queue \(queue), which QUEUE_COUNT counts",
                why: "mail for it is deferred",
                repair: "queue-fix \(queue)" + startAgain(machine))
        }
        for name in machine.queueNames { lookAtQueue(machine, name, &found) }
    }

    private static func missing(_ machine: Machine) -> [String] {
        var wanted = 1
        for source in machine.sources where source.text("QUEUE_BASE") == nil {
            let count = source.environment["QUEUE_COUNT"]?.decimalValue ?? 1
            wanted = max(wanted, min(count, 10_000))
        }
        let existing = machine.queueNames
        return (1...wanted).map { "queue\($0)" }.filter { !existing.contains($0) }
    }

    private static func lookAtQueue(
        _ machine: Machine, _ name: String, _ found: inout Examination
    ) {
        let queue = machine.instance.spool + Array("/\(name)".utf8)
        let shown = String(printable: queue)
        let run: ToolRun
        do throws(Errno) {
            run = try ToolRun(
                machine.path("/usr/sbin/queue-fix"), [Array("-N".utf8), queue], seconds: patience)
        } catch {
            found.unchecked(
                "\(machine.shown("/usr/sbin/queue-fix")): \(String(printable: error.text))",
                why: "it is what checks \(shown)", repair: "apt install --reinstall qhpsi-queue")
            return
        }
        if run.code == 0 {
            found.well("\(shown) is right")
        } else if run.code == 111, !machine.isRoot {
            found.unchecked(
                "\(shown): \(run.firstWords)", why: "only root may look into the queue",
                repair: "run it as root")
        } else {
            found.problem(
                "\(shown): \(run.firstWords)",
                why: "messages may be refused, stuck or not found by qmail-send",
                repair: repair(machine, name, run))
        }
    }

    /// What to type: queue-fix(8) renames messages only while qmail-send(8) does not run.
    private static func repair(_ machine: Machine, _ name: String, _ run: ToolRun) -> String {
        let shown = String(printable: machine.instance.spool) + "/" + name
        var work = "queue-fix -v \(shown)"
        if run.firstWords.contains("unable to understand"), run.firstWords.contains("/conf-split") {
            // The queue has as many folders of messages as its split says.
            let count = machine.names("/var/spool/qhpsi/\(name)/mess").count { Int($0) != nil }
            work = "queue-fix -v -s \(max(count, 1)) \(shown)"
        }
        let strays = strays(run)
        if !strays.isEmpty {
            let place = machine.shown("/var/lib/qhpsi/lost")
            work =
                "mkdir -p -m 700 \(place) && mv \(strays.joined(separator: " ")) \(place)/; " + work
        }
        guard let sender = sender(machine) else { return work }
        return
            "svc -d \(sender); while svstat \(sender) | grep -q ': up'; do sleep 1; done; \(work); svc -u \(sender)"
    }

    /// Files that queue-fix leaves for a person to look at: an envelope without its message, and what is no message.
    private static func strays(_ run: ToolRun) -> [String] {
        var paths: [String] = []
        for line in run.output.lines.prefix(100) {
            let text = String(printable: line)
            for end in [": has no message", ": is not a message"] where text.hasSuffix(end) {
                let path = text.dropFirst("queue-fix: ".count).dropLast(end.count)
                // What a shell would not take as it is has to be looked at first.
                if path.allSatisfy({
                    $0.isASCII && ($0.isLetter || $0.isNumber || "/._-".contains($0))
                }) {
                    paths.append(String(path))
                }
            }
        }
        return paths
    }

    /// The service that delivers, if it is up.
    private static func sender(_ machine: Machine) -> String? {
        let sender = machine.services.first { $0.name == "qmail-send" }
        guard let sender, case .up = sender.state(of: "supervise", now: machine.now) else {
            return nil
        }
        return sender.shown
    }

    /// It knows the queues that there were when it was started.
    private static func startAgain(_ machine: Machine) -> String {
        sender(machine).map { "; svc -t \($0)" } ?? ""
    }
}

/// Room for messages on the queues' file systems.
enum DiskCheck {
    private static let leastBytes = 100 << 20
    private static let leastFiles = 1000

    @Sendable static func look(_ machine: Machine, _ found: inout Examination) {
        for name in machine.queueNames {
            let queue = machine.instance.spool + Array("/\(name)".utf8)
            let shown = String(printable: queue)
            do throws(Errno) {
                look(try FileSystem(of: queue), shown, least(machine), &found)
            } catch {
                found.unchecked(
                    "\(shown): \(String(printable: error.text))",
                    why: "a full disk defers all mail", repair: "run it as root")
            }
        }
        if machine.queueNames.isEmpty { found.skipped("there are no queues") }
    }

    /// MIN_FREE where it is set: with less nothing is queued.
    private static func least(_ machine: Machine) -> Int {
        machine.sources.reduce(leastBytes) {
            max($0, $1.environment["MIN_FREE"]?.trimmed.decimalValue ?? 0)
        }
    }

    static func look(
        _ system: FileSystem, _ queue: String, _ least: Int, _ found: inout Examination
    ) {
        let free = Machine.roughSize(system.freeBytes)
        if system.freeBytes < least {
            found.problem(
                "\(queue) has \(free) left on its disk, less than \(Machine.size(least))",
                why: "with less than MIN_FREE, or none, all mail is deferred",
                repair: "df \(queue); make room, or a queue on another disk")
        } else if system.files > 0,
            system.freeFiles < leastFiles || system.freeFiles < system.files / 100
        {
            found.problem(
                "\(queue) has \(system.freeFiles) inodes left on its disk",
                why: "a message needs three; without any all mail is deferred",
                repair: "df -i \(queue); remove small files, or make a queue on another disk")
        } else {
            found.well("\(queue) has \(free) and \(system.freeFiles) inodes left")
        }
    }
}

extension Machine {
    var queueNames: [String] {
        names("/var/spool/qhpsi").filter {
            $0.hasPrefix("queue") && Int($0.dropFirst(5)) != nil
        }.sorted { (Int($0.dropFirst(5)) ?? 0) < (Int($1.dropFirst(5)) ?? 0) }
    }
}

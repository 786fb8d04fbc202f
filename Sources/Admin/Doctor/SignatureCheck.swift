import AdminReport
import ByteText
import ClamdClient
import ControlFiles
import Posix
import ScanProtocol

/// How old clamd's signatures are: as clamd says, or else as their files are.
enum SignatureCheck {
    private static let day = 86400

    /// How freshclam is started here: one of the two that there can be, and the other one not.
    private static func repair(_ machine: Machine) -> String {
        let service = machine.services.first { $0.name == "freshclam" }
        guard let service, !service.isKeptDown else {
            return "systemctl enable --now clamav-freshclam || apt install clamav-freshclam"
        }
        return
            "systemctl disable --now clamav-freshclam.service; svc -u \(service.shown); tail /var/log/qhpsi/freshclam/current"
    }

    @Sendable static func look(_ machine: Machine, _ found: inout Examination) {
        let libraries = libraryFolders(machine)
        for folder in libraries {
            lookAtFiles(
                in: folder, machine,
                without: "libclamav.so loads nothing, and mail is deferred", &found)
        }
        guard machine.usesClamd else {
            if libraries.isEmpty { found.skipped("no QHPSI here asks clamd or libclamav.so") }
            return
        }
        var ignored = Examination("")
        for word in ClamdCheck.sockets(machine, &ignored) {
            guard let address = ClamdSettings.server(word) else { continue }
            let shown = String(printable: word)
            do throws(Errno) {
                let answer = try ClamdCheck.answer(to: "zVERSION\0", from: address)
                if let date = Self.date(ofVersion: answer) {
                    judge(machine, date, "the signatures of clamd at \(shown)", &found)
                } else {
                    lookAtFiles(machine, &found)
                }
            } catch {
                lookAtFiles(machine, &found)
            }
        }
    }

    private static func judge(
        _ machine: Machine, _ date: Int, _ subject: String, _ found: inout Examination
    ) {
        let (age, overflow) = machine.now.subtractingReportingOverflow(date)
        let days = overflow ? 0 : max(0, age / day)
        let what = "\(subject) are \(days == 1 ? "1 day" : "\(days) days") old"
        if days >= 7 {
            found.problem(what, why: "newer viruses are taken for clean", repair: repair(machine))
        } else if days >= 3 {
            found.advice(
                what, why: "freshclam brings new ones several times a day", repair: repair(machine))
        } else {
            found.well(what)
        }
    }

    /// The date in `ClamAV 1.4.3/27500/Mon Nov 24 08:00:00 2026`, in seconds since 1970.
    static func date(ofVersion answer: [UInt8]) -> Int? {
        let parts = answer.split(separator: UInt8(ascii: "/"))
        guard parts.count == 3 else { return nil }
        let words = Array(parts[2]).words
        guard words.count == 5, let day = words[2].decimalValue, let year = words[4].decimalValue,
            let month = months.firstIndex(of: String(printable: words[1])),
            (1...31).contains(day), (1970...9999).contains(year)
        else { return nil }
        let clock = words[3].split(separator: UInt8(ascii: ":")).map { Array($0).decimalValue ?? 0 }
        guard clock.count == 3, clock.allSatisfy({ (0...60).contains($0) }) else { return nil }
        return dayNumber(year, month + 1, day) * Self.day + clock[0] * 3600 + clock[1] * 60
            + clock[2]
    }

    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    /// Days from 1970 to a date of the Gregorian calendar; years begin in March, so that leap days are last.
    private static func dayNumber(_ year: Int, _ month: Int, _ day: Int) -> Int {
        let years = month > 2 ? year : year - 1
        let inYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return years * 365 + years / 4 - years / 100 + years / 400 + inYear - 719_468
    }

    private static func lookAtFiles(_ machine: Machine, _ found: inout Examination) {
        guard let configuration = machine.clamdConfiguration else {
            found.unchecked(
                "clamd does not say how old its signatures are, and has no settings here",
                why: "old signatures take newer viruses for clean",
                repair: "see to clamd first; then run it again")
            return
        }
        lookAtFiles(
            in: configuration.text("DatabaseDirectory") ?? standardFolder, machine,
            without:
                "clamd does not start, and mail is deferred; or, with comments and exceptions only, it calls every mail clean",
            &found)
    }

    private static let standardFolder = "/var/lib/clamav"

    /// What the plugin libclamav.so loads for those who ask it.
    private static func libraryFolders(_ machine: Machine) -> [String] {
        var folders: [String] = []
        for source in machine.allSources {
            guard case .plugins(let names) = source.command,
                names.contains(where: { $0.equals("libclamav.so") })
            else { continue }
            let folder = source.text("CLAMAV_DATABASE") ?? standardFolder
            if !folders.contains(folder) { folders.append(folder) }
        }
        return folders
    }

    private static func lookAtFiles(
        in folder: String, _ machine: Machine, without why: String, _ found: inout Examination
    ) {
        let signatures = SignatureFiles(in: folder, of: machine)
        let files = signatures.names
        let daily = files.filter { $0.hasPrefix("daily.") }
        let dates = (daily.isEmpty ? files : daily).compactMap {
            machine.status(folder + "/" + $0)?.modified
        }
        guard signatures.haveSignature, let newest = dates.max() else {
            found.problem(
                "there are no signatures in \(machine.shown(folder))",
                why: why, repair: repair(machine))
            return
        }
        let subject =
            daily.isEmpty ? "the newest of \(files.count) own signature files" : "daily signatures"
        judge(machine, newest, "\(subject) in \(machine.shown(folder))", &found)
    }
}

import AdminReport
import ByteText
import ConnectionRules
import ConstantDatabases
import ControlFiles
import DotQmail
import Posix
import Recipients
import RelayRoutes

/// What is wrong with a control file.
struct ControlFault {
    /// Which file, which line, what was expected and what stands there.
    let text: [UInt8]
    /// The line to leave out; nil: the file as a whole.
    var line: Int?
    /// A command in place of leaving it out.
    var repair: String?
}

/// The programs' readers of whole control files.
enum ControlReaders {
    /// The fault that a reader throws.
    static func faults(_ read: () throws(ControlFailure) -> Void) -> [ControlFault] {
        do throws(ControlFailure) {
            try read()
            return []
        } catch {
            return [fault(error)]
        }
    }

    static func fault(_ failure: ControlFailure) -> ControlFault {
        if case .malformed(_, let line, _) = failure {
            return ControlFault(text: failure.text, line: line?.number)
        }
        return ControlFault(text: failure.text)
    }

    /// The faults of lines, by a reader for one of them that says what it expected, and what to type about it.
    static func faults(
        _ control: Control, _ name: StaticString, repair: (ControlLine) -> String? = { _ in nil },
        _ expected: ([UInt8]) -> StaticString?
    ) -> [ControlFault] {
        do throws(ControlFailure) {
            var faults: [ControlFault] = []
            for line in try control.numberedLines(name) ?? [] {
                guard let words = expected(line.text) else { continue }
                var fault = fault(control.flaw(name, line, expected: words))
                fault.repair = repair(line)
                faults.append(fault)
            }
            return faults
        } catch {
            return [fault(error)]
        }
    }

    /// A line of several words, or with a dot at its end, as the lines that it means; nil when it means none.
    static func parted(
        _ line: [UInt8], fits: ([UInt8]) -> Bool
    ) -> [[UInt8]]? {
        let words = line.split { $0 == UInt8(ascii: ",") || $0 == UInt8(ascii: ";") || $0.isBlank }
            .map { $0.last == UInt8(ascii: ".") ? Array($0.dropLast()) : Array($0) }
        let marks = Array(".-_@:+".utf8)
        let arePlain = words.allSatisfy { word in
            fits(word) && word.allSatisfy { $0.isLetter || $0.isDigit || marks.contains($0) }
        }
        return arePlain && !words.isEmpty ? words : nil
    }

    static func addresses(_ control: Control, _ name: StaticString) -> [ControlFault] {
        faults(control, name) { IPAddress($0) == nil ? "an IPv4 or IPv6 address" : nil }
    }

    static func routes(_ machine: Machine, _ control: Control) -> [ControlFault] {
        faults(control, "smtproutes") { line in
            do throws(SMTPRoutes.Flaw) {
                _ = try SMTPRoutes([line])
                return nil
            } catch {
                return error.expected
            }
        }
    }

    static func trusted(_ machine: Machine, _ control: Control) -> [ControlFault] {
        let ids: Identities
        do throws(ControlFailure) {
            ids = try Identities(path: machine.instance.ids, mustBeTrusted: false)
        } catch {
            return []  // The check of users says so.
        }
        return faults(control, "trustedusers") {
            ids.user(meantBy: $0) == nil ? "a user of /etc/qhpsi/ids, or a number" : nil
        }
    }

    /// By what the service gives to qmail-start(8): all lines but those that begin with `#`.
    static func delivery(_ machine: Machine, _ control: Control) -> [ControlFault] {
        let path = control.file("defaultdelivery")
        let lines: [(number: Int, text: [UInt8])]
        do throws(Errno) {
            let all = try Files.contents(path, limit: DotQmail.sizeLimit).lines
            lines = all.enumerated().filter { $0.element.first != UInt8(ascii: "#") }
                .map { ($0.offset + 1, $0.element) }
        } catch {
            return error == .noSuchFile ? [] : [fault(.unreadable(path: path, error))]
        }
        let text = Array(lines.map { $0.text }.joined(separator: [10]))
        // The service has a delivery of its own for that.
        if text.allSatisfy({ $0 == 10 }) { return [] }
        do throws(DotQmail.Flaw) {
            _ = try DotQmail(text)
            return []
        } catch {
            let shown = String(printable: path)
            let words = path + [UInt8](": ") + error.text
            switch error {
            case .blankFirstLine:
                return [
                    ControlFault(text: words, repair: "sed -i '/^[[:space:]]*$/d' \(shown)")
                ]
            case .nul:
                return [ControlFault(text: words, repair: "sed -i 's/\\x0//g' \(shown)")]
            case .noAddress(let line):
                return [ControlFault(text: words, line: lines[line - 1].number)]
            }
        }
    }

    static func recipients(_ machine: Machine, _ control: Control) -> [ControlFault] {
        let path = control.file("recipients")
        let text: [UInt8]
        do throws(Errno) { text = try Files.contents(path, limit: 1 << 28) } catch {
            return error == .noSuchFile ? [] : [fault(.unreadable(path: path, error))]
        }
        do throws(RuleFlaw) {
            _ = try RecipientEntry.entries(text)
            return []
        } catch {
            let shown = String(printable: path)
            return [
                ControlFault(
                    text: error.text(file: path),
                    repair: "sed -i '\(error.line)s/^/#/' \(shown); qmail-recipients")
            ]
        }
    }

    static func recipientDatabase(_ machine: Machine, _ control: Control) -> [ControlFault] {
        database(
            control.file("recipients.cdb"),
            remake: machine.exists("/etc/qhpsi/control/recipients") ? "qmail-recipients" : nil)
    }

    static func moreHosts(_ machine: Machine, _ control: Control) -> [ControlFault] {
        database(control.file("morercpthosts.cdb"), remake: nil)
    }

    private static func database(_ path: [UInt8], remake: String?) -> [ControlFault] {
        let bytes: [UInt8]
        do throws(Errno) {
            bytes = try Files.contents(path, limit: 1 << 28)
            _ = try ConstantDatabase(path: path)
            if RuleDatabaseFile.records(bytes) == nil { throw Errno.invalid }
            return []
        } catch {
            if error == .noSuchFile { return [] }
            return [
                ControlFault(
                    text: path + [UInt8](": expected a constant database; ") + error.text,
                    repair: remake)
            ]
        }
    }

    /// Seconds for nothing but reading files.
    private static let patience = 20

    /// By the program itself, which has OpenSSL; its session ends at once, for nobody speaks.
    static func ciphers(_ machine: Machine, _ control: Control) -> [ControlFault] {
        let file = "/etc/qhpsi/control/tlsciphers"
        guard machine.exists(file) else { return [] }
        let run: ToolRun
        do throws(Errno) {
            run = try ToolRun(
                machine.path("/usr/lib/qhpsi/qmail-smtpd-tls"), [], seconds: patience)
        } catch {
            return []  // Without the program there is no TLS, and nobody reads the file.
        }
        // As it stands in a line of the log.
        let words = String(printable: run.output).replacing("%20", with: " ")
        guard let start = words.firstRange(of: "unable to use control/tlsciphers: ")?.upperBound
        else { return [] }
        let reason = words[start...].prefix { $0 != "?" }
        let text = (machine.text(file) ?? "").prefix { $0 != "\n" }.prefix(200)
        return [
            ControlFault(
                text: Array(
                    "\(machine.shown(file)):1: expected ciphers of OpenSSL (\(reason)): \(text)"
                        .utf8),
                repair: "rm \(machine.shown(file))")
        ]
    }
}

import AdminReport
import ByteText
import ControlFiles
import Posix
import ScanPolicy
import ScanProtocol

/// Whether the variables of scanning mean something, for local mail and for each SMTP service, and what.
enum SettingsCheck {
    @Sendable static func look(_ machine: Machine, _ found: inout Examination) {
        for source in machine.allSources { look(machine, source, &found) }
    }

    private static func look(
        _ machine: Machine, _ source: SettingsSource, _ found: inout Examination
    ) {
        if let failure = source.failure {
            found.problem(
                "\(source.name): \(failure)",
                why: isLocal(machine, source)
                    ? "the packages' settings stand in for it, and no mail is called clean"
                    : "mail is deferred until it can be read",
                repair: access(machine, source))
            return
        }
        let count = found.findings.count
        lookAtNames(source, &found)
        let malformed = MalformedSettings(source, isLocal: isLocal(machine, source))
        found.problems(malformed, of: source)
        if !malformed.flaws.isEmpty { return }
        let settings = ScanSettings { source.environment[$0] }
        if source.decides("QHPSI") { lookAtScanner(machine, source, &found) }
        lookAtAuthentication(source, &found)
        if settings.onError == .accept, !isLocal(machine, source), source.decides("QHPSIONERROR") {
            found.advice(
                "\(source.name): QHPSIONERROR=accept lets mail in unscanned when the scanner is down",
                why: "a virus needs only to come at that time",
                repair: source.set("QHPSIONERROR", "defer"))
        }
        if settings.forward != nil, settings.infected == .refuse {
            found.advice(
                "\(source.name): VIRUSFORWARD does nothing beside REJECTVIRUS=1",
                why: "infected mail is refused before it can be forwarded",
                repair: source.unset("VIRUSFORWARD"))
        }
        found.wellIfNothing(
            since: count, "\(source.name): \(meaning(source, settings))\(outage(settings))")
    }

    /// What to type so that a folder can be read; one that has gone gets what the packages ship.
    private static func access(_ machine: Machine, _ source: SettingsSource) -> String {
        let folder = String(printable: source.folder)
        let shipped = "/usr/share/qhpsi/defaultqueue"
        var words = "mkdir -p \(folder); chmod -R a+rX \(folder)"
        if isLocal(machine, source), machine.exists(shipped) {
            words += "; cp -n \(machine.shown(shipped))/* \(folder)/"
        }
        return words
    }

    /// Variables that no program reads, and whose names are nearly those of others.
    private static func lookAtNames(_ source: SettingsSource, _ found: inout Examination) {
        for entry in source.environment.entries {
            let name = String(printable: entry.prefix { $0 != UInt8(ascii: "=") })
            guard source.decides(name), let meant = KnownVariables.meant(by: name) else {
                continue
            }
            found.advice(
                "\(source.name): no program reads the variable \(name)",
                why: "it does nothing; \(meant) may be meant",
                repair: source.rename(name, to: meant))
        }
    }

    /// Whether it is for users and programs of the machine, who seldom try again when mail is put off.
    private static func isLocal(_ machine: Machine, _ source: SettingsSource) -> Bool {
        source.folder == machine.instance.defaultQueue
    }

    private static func outage(_ settings: ScanSettings) -> String {
        switch settings.onError {
        case .accept: "; while no scanner answers, all is queued as not scanned"
        case .hold: "; while no scanner answers, all is held until one does"
        case .defer: "; while no scanner answers, all is put off"
        }
    }

    private static func lookAtAuthentication(
        _ source: SettingsSource, _ found: inout Examination
    ) {
        guard source.text("REQUIREAUTH")?.isEmpty == false,
            source.text("CHECKPASSWORD")?.isEmpty != false
        else { return }
        found.problem(
            "\(source.name): REQUIREAUTH is set, and no CHECKPASSWORD",
            why: "AUTH is asked for and not offered: nobody can send",
            repair:
                source.set("CHECKPASSWORD", "/usr/sbin/qhpsi-checkpassword /bin/true"))
    }

    /// What becomes of infected mail, in words.
    private static func meaning(_ source: SettingsSource, _ settings: ScanSettings) -> String {
        let scanner = source.text("QHPSI") ?? ""
        let fate =
            switch (settings.infected, settings.forward) {
            case (.refuse, _): "infected mail is refused with 554"
            case (_, let forward?): "infected mail goes to \(String(printable: forward))"
            case (.tag, nil): "infected mail is queued, tagged"
            case (.discard, nil): "infected mail is accepted and discarded"
            }
        return "QHPSI=\(scanner): \(fate)"
    }

    private static func lookAtScanner(
        _ machine: Machine, _ source: SettingsSource, _ found: inout Examination
    ) {
        let repair = source.set("QHPSI", "plugin:clamd.so")
        guard let value = source.environment["QHPSI"] else {
            found.problem(
                "\(source.name): QHPSI is not set", why: "its mail is not scanned", repair: repair)
            return
        }
        do throws(ScannerCommand.Failure) {
            switch try ScannerCommand(value) {
            case .program(let words): lookAtProgram(words[0], source, repair, &found)
            case .plugins(let names):
                let folder = source.environment["PLUGINDIR"] ?? machine.instance.plugins
                for name in names { lookAtPlugin(name, in: folder, source, &found) }
            }
        } catch {
            found.problem(
                "\(source.name): \(String(printable: error.text))",
                why: "every scan fails, and mail is deferred", repair: repair)
        }
    }

    private static func lookAtProgram(
        _ path: [UInt8], _ source: SettingsSource, _ repair: String, _ found: inout Examination
    ) {
        let name = String(printable: path)
        let why = "every scan fails, and mail is deferred"
        guard path.first == UInt8(ascii: "/") else {
            found.problem(
                "\(source.name): QHPSI's program \(name) is not an absolute path", why: why,
                repair: repair)
            return
        }
        do throws(Errno) {
            let status = try FileStatus(following: path)
            guard status.kind != .file || status.permissions & 0o111 == 0 else { return }
            found.problem(
                "\(source.name): QHPSI's program \(name) cannot be executed", why: why,
                repair: "chmod 755 \(name)")
        } catch {
            found.problem(
                "\(source.name): QHPSI's program \(name): \(String(printable: error.text))",
                why: why,
                repair: name.hasSuffix("/clamdscan") ? "apt install clamdscan" : repair)
        }
    }

    private static func lookAtPlugin(
        _ name: [UInt8], in folder: [UInt8], _ source: SettingsSource, _ found: inout Examination
    ) {
        let path = folder + [UInt8(ascii: "/")] + name
        let text = String(printable: path)
        do throws(Errno) {
            guard !name.contains(UInt8(ascii: "/")) else { throw .invalid }
            let status = try FileStatus(following: path)
            guard status.kind != .file else { return }
            throw Errno.invalid
        } catch {
            found.problem(
                "\(source.name): the plugin \(text): \(String(printable: error.text))",
                why: "every scan fails, and mail is deferred",
                repair: name.equals("libclamav.so")
                    ? "apt install qhpsi-libclamav"
                    : source.set("QHPSI", "plugin:clamd.so"))
        }
    }
}

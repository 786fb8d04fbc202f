import AdminReport
import ByteText
import Posix

/// Whether a name server answers: without one no mail goes to other servers.
enum NameServerCheck {
    private static let patience = 3000
    private static let file = "/etc/resolv.conf"

    @Sendable static func look(_ machine: Machine, _ found: inout Examination) {
        if machine.isPrivate, !machine.exists(file), linkTarget(machine).isEmpty {
            found.skipped("a private instance has no \(file)")
            return
        }
        if !hasWayOut(machine) {
            found.skipped("this machine reaches itself only: name servers are not asked")
            return
        }
        let sender = machine.services.first { $0.name == "qmail-send" }
        let chosen = chosenServers(sender)
        let servers = chosen.isEmpty ? listedServers(machine) : chosen
        let shown = machine.shown(file)
        for server in servers where answers(server) {
            found.well("the name server \(server) answers")
            return
        }
        let list = servers.joined(separator: ", ")
        let why = "mail to other servers waits, and block lists are not asked"
        if let sender, !chosen.isEmpty {
            let variable = String(printable: sender.path("variables")) + "/DNSCACHEIP"
            found.problem(
                "no name server answers: \(list), of \(variable)", why: why,
                repair: "rm \(variable); svc -t \(sender.shown)")
            return
        }
        found.problem(
            servers.isEmpty
                ? "\(shown) names no name server" : "no name server answers: \(list)",
            why: why, repair: repair(machine))
    }

    /// What to type for a name server of this machine's own, beside what resolv.conf(5) says, which stays.
    private static func repair(_ machine: Machine) -> String {
        let shown = machine.shown(file)
        let own = "nameserver 127.0.0.1"
        let install = "apt install unbound"
        // Who writes the file says so by where its link leads, or in a comment.
        let target = linkTarget(machine)
        let text = machine.text(file) ?? ""
        if target.contains("systemd/resolve") {
            let folder = machine.shown("/etc/systemd/resolved.conf.d")
            return
                "\(install) && mkdir -p \(folder) && printf '[Resolve]\\nDNS=127.0.0.1\\n' >\(folder)/qhpsi.conf && systemctl restart systemd-resolved"
        }
        if target.contains("resolvconf") || text.contains("resolvconf(8)") {
            // unbound tells it of itself, but only where it was there before.
            return "\(install) && echo '\(own)' | resolvconf -a lo.unbound"
        }
        if target.contains("NetworkManager") || text.contains("NetworkManager") {
            let folder = machine.shown("/etc/NetworkManager/conf.d")
            return
                "\(install) && printf '[global-dns-domain-*]\\nservers=127.0.0.1\\n' >\(folder)/qhpsi.conf && systemctl reload NetworkManager"
        }
        guard machine.exists(file) else { return "\(install) && echo '\(own)' >\(shown)" }
        return
            "\(install) && cp \(shown) \(shown).before && { echo '\(own)'; cat \(shown).before; } >\(shown)"
    }

    private static func linkTarget(_ machine: Machine) -> String {
        do throws(Errno) {
            return String(printable: try Files.linkTarget(machine.path(file)))
        } catch {
            return ""  // No link.
        }
    }

    /// Those that the service's variable names for qmail-remote; none: it asks the machine's.
    private static func chosenServers(_ sender: Service?) -> [String] {
        let named = sender.flatMap {
            SettingsSource(name: "qmail-send", folder: $0.path("variables")).text("DNSCACHEIP")
        }
        return (named ?? "").split { $0 == " " || $0 == "," }.map(String.init)
    }

    private static func listedServers(_ machine: Machine) -> [String] {
        var servers: [String] = []
        for line in (machine.text(file) ?? "").split(separator: "\n") {
            let words = line.split { $0 == " " || $0 == "\t" }
            if words.count > 1, words[0] == "nameserver" { servers.append(String(words[1])) }
        }
        return servers
    }

    /// Whether there is a route to other machines, or a name server on this one is told of.
    private static func hasWayOut(_ machine: Machine) -> Bool {
        let folder = machine.processes
        func text(_ name: String) -> String {
            do throws(Errno) {
                let bytes = try Files.contents(folder + Array("/net/\(name)".utf8), limit: 1 << 22)
                return String(decoding: bytes, as: UTF8.self)
            } catch {
                return ""
            }
        }
        let four = text("route").split(separator: "\n").dropFirst().contains {
            let words = $0.split { $0 == "\t" || $0 == " " }
            return words.count > 1 && words[0] != "lo"
        }
        let six = text("ipv6_route").split(separator: "\n").contains { !$0.hasSuffix(" lo") }
        return four || six
    }

    /// Whether it says anything to a question, be it that there is no such name.
    private static func answers(_ server: String) -> Bool {
        guard let address = SocketAddress.internet(Array(server.utf8), port: 53) else {
            return false
        }
        // The root's servers, recursion wanted.
        let question: [UInt8] = [0x51, 0x71, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 1]
        do throws(Errno) {
            let any: StaticString = server.contains(":") ? "::" : "0.0.0.0"
            guard let own = SocketAddress.internet([UInt8](any), port: 0) else { return false }
            let socket = try FileDescriptor.datagrams(arrivingAt: own)
            let deadline = Deadline(milliseconds: patience)
            try socket.sendDatagram(question, to: address)
            while try Polling.wait(for: socket.rawValue, .readable, until: deadline) {
                var sender: SocketAddress?
                let answer = try socket.receiveDatagram(limit: 4096, from: &sender)
                if answer.count > 11, answer[0] == 0x51, answer[1] == 0x71, answer[2] & 0x80 != 0 {
                    return true
                }
            }
            return false
        } catch {
            return false
        }
    }
}

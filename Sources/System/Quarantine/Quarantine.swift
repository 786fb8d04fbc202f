import ByteText
package import ControlFiles
import Filter
import LocalUsers
import Posix
import Routing

/// The quarantined messages of a machine, or of one maildir.
package struct Quarantine: Sendable {
    let instance: Instance
    private let search: PlaceSearch
    /// In the order in which they came.
    package private(set) var entries: [QuarantineEntry] = []
    /// What could not be looked at, a sentence each.
    package private(set) var failures: [String]

    /// Bytes of a message in which the lines of its way stand, unless there are very many recipients.
    private static let headSize = 1 << 16
    private static let headLimit = 1 << 24

    /// Look.
    ///
    /// Root gives up his other groups.
    ///
    /// - Parameters:
    ///   - instance: Whose quarantine.
    ///   - maildirs: Only these; empty: all there are.
    package init(instance: Instance, maildirs: [[UInt8]]) {
        self.instance = instance
        var failures: [String] = []
        if Process.effectiveUser == 0 {
            do throws(Errno) { try Process.setSupplementaryGroups([]) } catch {
                failures.append("unable to give up groups")
            }
        }
        search = PlaceSearch(instance: instance)
        self.failures = failures
        var places = search.places
        if maildirs.isEmpty {
            self.failures += search.failures
        } else {
            places = []
            for maildir in maildirs {
                let found = PlaceSearch(maildir: maildir, instance: instance)
                places += found.places
                self.failures += found.failures
            }
        }
        for place in places { look(into: place, isNamed: !maildirs.isEmpty) }
        entries.sort { ($0.time, $0.id) < ($1.time, $1.id) }
    }

    private mutating func look(into place: QuarantinePlace, isNamed: Bool) {
        do throws(Errno) {
            entries += try place.acting { () throws(Errno) in
                var found: [QuarantineEntry] = []
                for folder in ["new", "cur"] {
                    let path = place.path + Array("/\(folder)".utf8)
                    for name in try Files.names(in: path) {
                        guard let entry = try Self.entry(place, Array(folder.utf8), name),
                            Self.isHeld(entry, place, isNamed)
                        else { continue }
                        found.append(entry)
                    }
                }
                return found
            }
        } catch {
            failures.append(
                "unable to look into \(String(decoding: place.path, as: UTF8.self)): "
                    + String(decoding: error.text, as: UTF8.self))
        }
    }

    /// Other mail may lie beside quarantined mail.
    private static func isHeld(
        _ entry: QuarantineEntry, _ place: QuarantinePlace, _ isNamed: Bool
    ) -> Bool {
        let isForwarded = entry.facts.recipients != nil
        if place.isForwarded { return isForwarded }
        let isInfected = entry.facts.verdict?.equals("virus found") ?? false
        return isForwarded || isInfected || !isNamed && entry.facts.rule != nil
    }

    /// The message of a file; nil when it is none, or gone meanwhile.
    private static func entry(
        _ place: QuarantinePlace, _ folder: [UInt8], _ name: [UInt8]
    ) throws(Errno) -> QuarantineEntry? {
        let path = place.path + [UInt8(ascii: "/")] + folder + [UInt8(ascii: "/")] + name
        do throws(Errno) {
            guard try FileStatus(of: path).kind == .file else { return nil }
            let file = try FileDescriptor.open(path, .readNonBlocking)
            let status = try file.status()
            guard status.kind == .file else { return nil }
            var facts = MessageFacts(try beginning(of: file, headSize))
            if !facts.isWhole, status.size > headSize {
                facts = MessageFacts(try beginning(of: file, headLimit))
            }
            return QuarantineEntry(
                place: place, folder: folder, name: name, status: status, facts: facts)
        } catch {
            if error == .noSuchFile { return nil }
            throw error
        }
    }

    static func beginning(
        of file: borrowing FileDescriptor, _ limit: Int
    ) throws(Errno) -> [UInt8] {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: min(limit, 1 << 16))
        while bytes.count < limit {
            let count = try file.read(into: &buffer, at: bytes.count)
            if count == 0 { break }
            bytes += buffer[..<count]
        }
        return bytes
    }

    /// For whom a message was, as the envelope must have them.
    ///
    /// `Delivered-To` has the prefix that control/virtualdomains gives the domain, which the queue would give it again.
    package func recipients(of entry: QuarantineEntry) -> [[UInt8]] {
        if let recipients = entry.facts.recipients { return recipients }
        guard let address = entry.facts.deliveredTo else { return [] }
        let control = Control(of: instance)
        do throws(ControlFailure) {
            let host = try control.line("me") ?? []
            let routing = Routing(
                defaultHost: host, locals: try control.lines("locals") ?? [host],
                percentDomains: [], virtualDomains: try control.lines("virtualdomains") ?? [])
            return [routing.original(address)]
        } catch {
            return []
        }
    }
}

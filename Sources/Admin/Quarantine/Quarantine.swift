import AdminReport
import ByteText
package import ControlFiles
import Filter
import LocalUsers
import Posix
import Routing

/// The quarantined messages of a machine, or of one maildir.
package struct Quarantine: Sendable {
    let instance: Instance
    /// In the order in which they came.
    package private(set) var entries: [QuarantineEntry] = []
    /// What could not be looked at, a sentence each.
    package private(set) var failures: [String]

    /// Bytes of memory for the messages of one place: nobody's maildir may need all there is.
    private static let placeLimit = 1 << 26

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
        var places: [QuarantinePlace] = []
        let searches =
            maildirs.isEmpty
            ? [PlaceSearch(instance: instance)]
            : maildirs.map { PlaceSearch(maildir: $0, instance: instance) }
        for search in searches {
            places += search.places.filter { place in !places.contains { $0.path == place.path } }
            failures += search.failures
        }
        self.failures = failures
        for place in places { look(into: place, isNamed: !maildirs.isEmpty) }
        entries.sort { ($0.time, $0.id) < ($1.time, $1.id) }
    }

    private mutating func look(into place: QuarantinePlace, isNamed: Bool) {
        var found: [QuarantineEntry] = []
        var failures: [String] = []
        var cost = 0
        do throws(Errno) {
            try place.acting { (maildir) throws(Errno) in
                for folder in [Array("new".utf8), Array("cur".utf8)] {
                    let names = try maildir.folder(named: folder)
                    try names.forEachName { (name) throws(Errno) in
                        guard cost < Self.placeLimit else { throw .tooLarge }
                        do throws(Errno) {
                            guard
                                let entry = try Self.entry(place, folder, name, in: names, isNamed)
                            else { return }
                            cost += entry.cost
                            found.append(entry)
                        } catch {
                            let path = folder + [UInt8(ascii: "/")] + name
                            cost += path.count
                            failures.append(PlaceSearch.failure(place.path, path, error))
                        }
                    }
                }
            }
        } catch {
            failures.append(
                error == .tooLarge
                    ? "not all of \(String(printable: place.path)) is shown: it is too much"
                    : PlaceSearch.failure(place.path, [], error))
        }
        entries += found
        self.failures += failures
    }

    /// Other mail may lie beside quarantined mail.
    private static func isHeld(
        _ facts: MessageFacts, _ place: QuarantinePlace, _ isNamed: Bool
    ) -> Bool {
        let isForwarded = facts.recipients != nil
        if place.isForwarded { return isForwarded }
        let isInfected = facts.verdict?.equals("virus found") ?? false
        return isForwarded || isInfected || !isNamed && facts.rule != nil
    }

    /// The message of a name; nil when the file is no message, or is gone meanwhile.
    private static func entry(
        _ place: QuarantinePlace, _ folder: [UInt8], _ name: [UInt8],
        in names: borrowing FileDescriptor, _ isNamed: Bool
    ) throws(Errno) -> QuarantineEntry? {
        guard let file = try HeldFile.open(name, in: names) else { return nil }
        let facts = try file.facts(keeping: RecipientList.shownLimit)
        guard isHeld(facts, place, isNamed) else { return nil }
        return try QuarantineEntry(
            place: place, folder: folder, name: name, file: file, facts: facts)
    }

    /// For whom a message was, as the envelope must have them.
    ///
    /// `Delivered-To` has the prefix that control/virtualdomains gives the domain, which the queue would give it again.
    package func recipients(of entry: QuarantineEntry) -> RecipientList {
        recipients(entry.facts)
    }

    func recipients(_ facts: MessageFacts) -> RecipientList {
        if let recipients = facts.recipients { return recipients }
        guard let address = facts.deliveredTo else { return RecipientList([]) }
        let control = Control(of: instance)
        do throws(ControlFailure) {
            let host = try control.line("me") ?? []
            let routing = Routing(
                defaultHost: host, locals: try control.lines("locals") ?? [host],
                percentDomains: [], virtualDomains: try control.lines("virtualdomains") ?? [])
            return RecipientList([routing.original(address)])
        } catch {
            return RecipientList([])
        }
    }
}

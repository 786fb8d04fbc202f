import AdminReport
import ByteText
import ConstantDatabases
import ControlFiles
import LocalUsers
import Posix
import Routing

/// Whether a message may go to those whom its header names.
///
/// A maildir is its owner's, who can write into it whatever he likes. So what lies there is released to him alone, unless
/// it is the maildir to which VIRUSFORWARD sends what was for others.
extension Quarantine {
    /// See that a message goes to nobody but those for whom its place can speak.
    ///
    /// - Throws: `notOwners` when it would.
    func checkOwner(
        of entry: QuarantineEntry, _ facts: MessageFacts, _ recipients: RecipientList
    ) throws(QuarantineFailure) {
        let place = entry.place
        if place.isForwarded { return }
        if facts.recipients != nil {
            // The admin has named the maildir, or it is a folder of him who gets such mail.
            let keepers = PlaceSearch(instance: instance).places.filter { $0.isForwarded }
            if place.isNamed || keepers.contains(where: { $0.owner == place.owner }) { return }
        } else {
            var isHis = true
            do throws(Errno) {
                for address in recipients.first {
                    let user = try user(of: address)
                    isHis = isHis && user == place.owner
                }
            } catch {
                throw .unable("look up whose mail \(entry.id) is", error)
            }
            if isHis, recipients.more == 0 { return }
        }
        throw .notOwners(
            id: entry.id, address: recipients.first.first.map { String(printable: $0) } ?? "",
            place: String(printable: place.path))
    }

    /// The user to whom an address's mail comes on this machine; nil when it goes elsewhere.
    private func user(of address: [UInt8]) throws(Errno) -> UInt32? {
        let control = Control(of: instance)
        let route: Routing.Route
        var separators = [UInt8(ascii: "-")]
        do throws(ControlFailure) {
            let host = try control.line("me") ?? []
            route = Routing(
                defaultHost: host, locals: try control.lines("locals") ?? [host],
                percentDomains: [], virtualDomains: try control.lines("virtualdomains") ?? []
            ).route(address)
            separators = try control.line("userseparators") ?? separators
        } catch {
            throw .invalid
        }
        guard route.isLocal, let at = route.address.lastIndex(of: UInt8(ascii: "@")) else {
            return nil
        }
        let local = Array(route.address[..<at])
        do throws(Errno) {
            let assignments = try ConstantDatabase(path: instance.path("/etc/qhpsi/users/cdb"))
            if let found = try UserAssignments.find(local, in: assignments) {
                return found.user.identifier
            }
        } catch {
            if error != .noSuchFile { throw error }
        }
        let users = PasswordFile(
            try Files.contents(instance.path("/etc/passwd"), limit: PlaceSearch.passwordLimit))
        return try DeliveryUser.find(local, among: users, separators: separators)?.user.identifier
    }
}

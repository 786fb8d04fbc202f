import ByteText
import Filter
import FilterStore
import Maildir
import Posix

/// Looks for the rules that say what becomes of a message.
///
/// They are the recipient's and his domain's, and those of the addresses through which aliases and .qmail files have
/// brought the message to him. Rules of such an address that let a message into the inbox end only that address's own:
/// whatever stands in a message, it passes the recipient's.
struct RuleSearch {
    let store: FilterStore
    let owner: FilterAddress
    /// Where the recipient says what he does not want.
    let maildir: [UInt8]
    let sender: [UInt8]
    /// Takes the prefix of a virtual domain from an address.
    let original: ([UInt8]) throws(VfilterFailure) -> [UInt8]

    /// A rule that fits, and whose it is.
    struct Found {
        let rule: FilterRule
        let address: FilterAddress
    }

    /// What rules say.
    struct Decision {
        /// Rules of earlier addresses that only have copies made.
        var copies: [Found] = []
        /// The rule that decides; nil when none does, or when the message was released from quarantine.
        var last: Found?
    }

    private struct Place {
        let address: FilterAddress
        /// Whose mail the rules are for.
        let recipient: FilterAddress
        /// A file by which the recipient says that he does not want them.
        var off: StaticString?
    }

    /// More of a header than this is not looked at.
    private static let headerLimit = 1 << 20
    private static let addressBookLimit = 1 << 22

    /// The rules that fit first.
    ///
    /// - Throws: When rules cannot be read: what they keep out must not come in for that.
    func decision(for message: borrowing FileDescriptor) throws(VfilterFailure) -> Decision {
        var decision = Decision()
        guard try hasRules() else { return decision }
        let bytes = try Self.header(of: message)
        var header: MessageHeader?
        for place in try places(bytes) {
            let rules = try rules(for: place.address)
            if rules.isEmpty { continue }
            if let off = place.off, try isThere(off) { continue }
            let known = header ?? MessageHeader(bytes)
            if known.isReleased { return Decision() }
            header = known
            let question = FilterQuestion(
                recipient: place.recipient.text, sender: sender,
                addressBook: try addressBook(rules))
            guard let rule = rules.first(where: { $0.matches(known, question) }) else { continue }
            let found = Found(rule: rule, address: place.address)
            let isOwn = place.recipient == owner
            if isOwn || rule.destination != .inbox || rule.action.bounces {
                decision.last = found
                return decision
            }
            if rule.action.copy != nil { decision.copies.append(found) }
        }
        return decision
    }

    /// Whose rules are asked: those before everybody's own, everybody's own, and those after them; in each the way of the
    /// message from its first address to the recipient.
    private func places(_ header: [UInt8]) throws(VfilterFailure) -> [Place] {
        var recipients: [FilterAddress] = []
        for text in AddressTrail.addresses(header) {
            // What can be no address has no rules.
            guard let address = FilterAddress(known: try original(text)) else { continue }
            if address != owner, !recipients.contains(address) { recipients.append(address) }
        }
        recipients.append(owner)
        var places: [Place] = []
        func add(_ address: FilterAddress, _ recipient: FilterAddress, _ off: StaticString?) {
            // The recipient's own domain counts as his own, not as that of an earlier address.
            let isOwners =
                address == .before(domain: owner.domain) || address == .after(domain: owner.domain)
            if places.contains(where: { $0.address == address }) { return }
            places.append(
                Place(address: address, recipient: isOwners ? owner : recipient, off: off))
        }
        for address in recipients { add(.before(domain: address.domain), address, "noprefilt") }
        for address in recipients { add(address, address, nil) }
        for address in recipients { add(.after(domain: address.domain), address, "nopostfilt") }
        return places
    }

    private func hasRules() throws(VfilterFailure) -> Bool {
        do throws(FilterStoreFailure) { return try store.exists() } catch { throw .store(error) }
    }

    private func rules(for address: FilterAddress) throws(VfilterFailure) -> [FilterRule] {
        do throws(FilterStoreFailure) { return try store.rules(for: address) } catch {
            throw .store(error)
        }
    }

    private func isThere(_ name: StaticString) throws(VfilterFailure) -> Bool {
        do throws(MaildirFailure) {
            return try Maildir.exists(maildir + [UInt8(ascii: "/")] + [UInt8](name))
        } catch {
            throw .mailbox(error)
        }
    }

    private static func header(
        of message: borrowing FileDescriptor
    ) throws(VfilterFailure) -> [UInt8] {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 8192)
        while bytes.count < headerLimit {
            let count: Int
            do throws(Errno) { count = try message.read(into: &buffer, at: bytes.count) } catch {
                throw .message(error)
            }
            if count == 0 { break }
            let before = bytes.count
            bytes += buffer[..<count]
            if HeaderFields.isWhole(bytes, from: before) { break }
        }
        return bytes
    }

    /// The addresses that the recipient knows, when a rule asks for them and he has such a file.
    private func addressBook(_ rules: [FilterRule]) throws(VfilterFailure) -> [[UInt8]]? {
        guard rules.contains(where: { $0.comparison == .senderUnknown }) else { return nil }
        let path = maildir + [UInt8]("/addressbook")
        do throws(Errno) {
            let text = try Files.contents(path, limit: Self.addressBookLimit)
            return text.lines.map { $0.trimmed.lowercased }.filter { !$0.isEmpty }
        } catch {
            if error == .noSuchFile { return nil }
            throw .addressBook(path, error)
        }
    }
}

import ByteText
import Filter
import FilterStore
import Maildir
import Posix

/// Looks for the rule that decides about a message.
struct RuleSearch {
    let store: FilterStore
    let owner: FilterAddress
    /// Where the recipient says what he does not want.
    let maildir: [UInt8]
    let sender: [UInt8]

    /// The rule that decides, and whose it is.
    struct Found {
        let rule: FilterRule
        let address: FilterAddress
    }

    /// More of a header than this is not looked at.
    private static let headerLimit = 1 << 20
    private static let addressBookLimit = 1 << 22

    /// The first rule that fits; nil when none does, or when the message was released from quarantine.
    ///
    /// - Throws: When rules cannot be read: what they keep out must not come in for that.
    func first(for message: borrowing FileDescriptor) throws(VfilterFailure) -> Found? {
        var header: MessageHeader?
        let places: [(address: FilterAddress, off: StaticString?)] = [
            (.before(domain: owner.domain), "noprefilt"), (owner, nil),
            (.after(domain: owner.domain), "nopostfilt"),
        ]
        for (address, off) in places {
            let rules = try rules(for: address)
            if rules.isEmpty { continue }
            if let off, try isThere(off) { continue }
            let known = if let header { header } else { try Self.header(of: message) }
            if known.isReleased { return nil }
            header = known
            let question = FilterQuestion(
                recipient: owner.text, sender: sender, addressBook: try addressBook(rules))
            if let rule = rules.first(where: { $0.matches(known, question) }) {
                return Found(rule: rule, address: address)
            }
        }
        return nil
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
    ) throws(VfilterFailure) -> MessageHeader {
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
        return MessageHeader(bytes)
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

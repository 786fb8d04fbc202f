import ByteText
import DNSMessage
import Posix
import Resolver
import SMTPGrammar

/// What the lists say about a client.
struct BlockListAnswer {
    /// The refusal that each recipient gets, nil when the client is welcome.
    let refusal: Reply?
    /// The lists that did not answer, for the log.
    let troubles: [[UInt8]]
}

extension BlockLists {
    /// What one list says.
    private enum Listing {
        case absent
        case present(code: IPAddress)
        case unknown(why: [UInt8])
    }

    /// The most bytes of a list's text that a client is told.
    private static let textLimit = 300

    /// Ask the lists in order until one decides; see rblsmtpd(1).
    func answer(about client: IPAddress, from resolver: Resolver) -> BlockListAnswer {
        let deadline = Deadline(milliseconds: timeLimit * 1000)
        var troubles: [[UInt8]] = []
        // After a list that did not answer no refusal is for good.
        var isInDoubt = false
        for source in sources {
            guard let name = DomainName(of: client, below: source.base, source.base) else {
                troubles.append(source.base.text + [UInt8](": its name is too long"))
                continue
            }
            switch Self.listing(name, resolver, deadline) {
            case .absent: continue
            case .present(let code):
                if source.isAllowing { return BlockListAnswer(refusal: nil, troubles: troubles) }
                let text = Self.text(source, name, client, code, resolver, deadline)
                let isPermanent = source.isPermanent && !isInDoubt
                return BlockListAnswer(
                    refusal: Reply(blocking: text, isPermanent: isPermanent), troubles: troubles)
            case .unknown(let why):
                troubles.append(source.base.text + [UInt8](": ") + why)
                if !source.isAllowing, source.failsClosed {
                    let text =
                        [UInt8]("no answer from ") + source.base.text + [UInt8](", try again later")
                    return BlockListAnswer(
                        refusal: Reply(blocking: text, isPermanent: false), troubles: troubles)
                }
                if source.isAllowing, !source.failsClosed {
                    return BlockListAnswer(refusal: nil, troubles: troubles)
                }
                isInDoubt = true
            }
        }
        return BlockListAnswer(refusal: nil, troubles: troubles)
    }

    /// A list answers with addresses of 127.0.0.0/8, RFC 5782 §2.1, others being of a domain that is no list.
    ///
    /// Those of 127.255.255.0/24 say that the list was asked wrongly or too often.
    private static func listing(
        _ name: DomainName, _ resolver: Resolver, _ deadline: Deadline
    ) -> Listing {
        let addresses: [IPAddress]
        do throws(LookupFailure) {
            addresses = try resolver.addresses(of: name, until: deadline)
        } catch {
            return error.isTemporary ? .unknown(why: [UInt8]("no answer")) : .absent
        }
        var excuse: IPAddress?
        for address in addresses where address.bytes.first == 127 {
            if !address.bytes.starts(with: [127, 255, 255]) { return .present(code: address) }
            excuse = address
        }
        return excuse.map { .unknown(why: [UInt8]("it answers ") + $0.text) } ?? .absent
    }

    private static func text(
        _ source: Source, _ name: DomainName, _ client: IPAddress, _ code: IPAddress,
        _ resolver: Resolver, _ deadline: Deadline
    ) -> [UInt8] {
        var text = client.text + [UInt8](" is in ") + source.base.text + [UInt8](" (")
        text += code.text + [UInt8](")")
        var reason = source.text.replacing("%IP%", with: client.text)
        if reason.isEmpty {
            do throws(LookupFailure) {
                reason = try resolver.texts(of: name, until: deadline).first ?? []
            } catch {
                // The list gives no reason.
            }
        }
        if !reason.isEmpty { text += [UInt8](": ") + reason.prefix(textLimit) }
        return text
    }
}

extension Reply {
    /// A refusal of a client that a list or a rule names.
    init(blocking text: [UInt8], isPermanent: Bool) {
        self.init(
            isPermanent ? 553 : 451, enhanced: [UInt8](isPermanent ? "5.7.1" : "4.7.1"), text: text)
    }
}

extension [UInt8] {
    fileprivate func replacing(_ text: StaticString, with other: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        var position = 0
        while let found = range(of: text, from: position) {
            result += self[position..<found.lowerBound] + other
            position = found.upperBound
        }
        return result + self[position...]
    }
}

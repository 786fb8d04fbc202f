import ByteText
import Filter
import Posix

/// What qmail-local(8) tells a program about the delivery; see qmail-command(8).
struct DeliveryVariables {
    /// The user's folder, where his Maildir is.
    let home: [UInt8]
    /// The recipient's domain.
    let domain: [UInt8]
    /// The recipient's local part as far as it names the user, without his extension.
    let user: [UInt8]
    /// What the program's .qmail file is the default for; nil when its name was given whole.
    let matched: [UInt8]?
    let sender: [UInt8]
    /// Who sends what is forwarded.
    let forwarder: [UInt8]
    /// `Delivered-To`, with its line feed.
    let deliveredTo: [UInt8]
    /// `Return-Path`, with its line feed.
    let returnPath: [UInt8]

    /// Read them; nil when one is missing without which nothing can be delivered.
    init?(_ environment: Environment) {
        guard let home = environment["HOME"], home.first == UInt8(ascii: "/"),
            let domain = environment["HOST"], let local = environment["LOCAL"]
        else { return nil }
        self.home = home
        self.domain = domain
        let ext = environment["EXT"] ?? []
        // The hyphen, or what else stands there, goes with the extension; users/assign may give one that is not his.
        let isExtended =
            !ext.isEmpty && local.count > ext.count + 1
            && local.suffix(ext.count).elementsEqual(ext, by: { $0.lowercased == $1.lowercased })
        user = isExtended ? Array(local.dropLast(ext.count + 1)) : local
        matched = environment["DEFAULT"]
        sender = environment["SENDER"] ?? []
        forwarder = environment["NEWSENDER"] ?? sender
        deliveredTo =
            Self.line(environment["DTLINE"])
            ?? [UInt8]("Delivered-To: ") + (local + [UInt8(ascii: "@")] + domain).singleLine + [10]
        returnPath =
            Self.line(environment["RPLINE"])
            ?? [UInt8]("Return-Path: <") + sender.singleLine + [UInt8](">\n")
    }

    /// A header line that came as one.
    private static func line(_ text: [UInt8]?) -> [UInt8]? {
        guard let text, text.last == 10, text.firstIndex(of: 10) == text.count - 1 else {
            return nil
        }
        return Array(text.dropLast()).singleLine + [10]
    }

    /// Whose rules are the recipient's own.
    ///
    /// - Parameter isForDomain: Whether the .qmail file serves the users of a domain rather than one user.
    /// - Returns: Their address.
    func owner(isForDomain: Bool) -> FilterAddress {
        FilterAddress(local: isForDomain ? matched ?? user : user, domain: domain)
    }
}

import ByteText
import ControlFiles
import Posix
import Routing
import SMTPGrammar

/// A file of qmail-control(5), and what its program's own reader makes of it.
struct ControlForm {
    /// How a file is read.
    enum Kind {
        /// The first line is a number, this one if there is no file; nil: another file's.
        case number(Int?)
        /// The first line is 1 or 0.
        case flag
        /// The first line is whatever its owner likes.
        case text
        /// The first line, unless it is empty, is such a word.
        case word(StaticString, @Sendable ([UInt8]) -> Bool)
        /// Each line that counts is such a word.
        case list(StaticString, @Sendable ([UInt8]) -> Bool)
        /// A program's reader for the first line says what is wrong with it.
        case reader(@Sendable (Control) throws(ControlFailure) -> Void)
        /// A program's reader for the whole file says what is wrong with it.
        case whole(@Sendable (Machine, Control) -> [ControlFault])
        /// Another check looks at it, of this name.
        case elsewhere(StaticString)
    }

    let name: StaticString
    let kind: Kind
    /// What becomes of mail with a wrong one.
    let why: String
    /// The service that reads it once, with the signal for svc(8) after which it reads it again.
    let reader: (service: StaticString, signal: StaticString)?

    private init(
        _ name: StaticString, _ kind: Kind, _ why: String,
        reader: (service: StaticString, signal: StaticString)? = nil
    ) {
        self.name = name
        self.kind = kind
        self.why = why
        self.reader = reader
    }

    /// All there are.
    ///
    /// `.ci/check controls` compares them with the manual page and with what programs read.
    static let all: [ControlForm] =
        session + sender + remote + [
            ControlForm(
                "defaultdelivery", .whole(ControlReaders.delivery), deliveryWhy, reader: start),
            ControlForm("defaultdomain", domain, nameWhy),
            ControlForm("defaulthost", domain, nameWhy),
            ControlForm("envnoathost", domain, nameWhy, reader: sendmail),
            ControlForm("idhost", domain, nameWhy),
            ControlForm("me", .elsewhere("control"), ""),
            ControlForm("plusdomain", domain, nameWhy),
            ControlForm(
                "recipients", .whole(ControlReaders.recipients),
                "recipients are known as they were before"),
            ControlForm(
                "trustedusers", .whole(ControlReaders.trusted),
                "it names nobody, and whom it means scans by the machine's settings"),
            ControlForm("userseparators", .text, ""),
        ]

    /// What qmail-smtpd(8) reads for each session.
    private static let session: [ControlForm] = [
        ControlForm("authloopback", .flag, "it counts as 0"),
        ControlForm(
            "badmailfrom", .list("an address, or @ and a domain", SenderEntry.isEntry),
            "no sender is that: nobody is refused by it"),
        ControlForm(
            "checkrecipient", .word("0, 1 or 2", { $0.count == 1 && (48...50).contains($0[0]) }),
            "it counts as 1: who is not there is refused"),
        ControlForm("databytes", .number(0), answers421),
        ControlForm("greetdelay", .number(0), answers421),
        ControlForm("localiphost", domain, "no address literal is this machine's"),
        ControlForm("locals", .list("a domain", Mailbox.isDomain), matches, reader: sendmail),
        ControlForm("maxauthfailures", .number(4), answers421),
        ControlForm("maxbadcommands", .number(20), answers421),
        ControlForm("maxhops", .number(100), answers421),
        ControlForm("maxrcpt", .number(1000), answers421),
        ControlForm(
            "morercpthosts.cdb", .whole(ControlReaders.moreHosts),
            "recipients who are not in rcpthosts get 451"),
        ControlForm("percenthack", .list("a domain", Mailbox.isDomain), matches, reader: sendmail),
        ControlForm("rcpthosts", .list("a domain, or .domain for all below it", isHosts), matches),
        ControlForm(
            "recipients.cdb", .whole(ControlReaders.recipientDatabase),
            "with CHECKRECIPIENT every recipient gets 451"),
        ControlForm("servercert.pem", .elsewhere("certificate"), ""),
        ControlForm("serverkey.pem", .elsewhere("certificate"), ""),
        ControlForm("shownames", .flag, "it counts as 0"),
        ControlForm("smtpgreeting", .text, ""),
        ControlForm("tarpitcount", .number(0), answers421),
        ControlForm("tarpitdelay", .number(5), answers421),
        ControlForm("timeoutcheckpassword", .number(60), answers421),
        ControlForm("timeoutsmtpd", .number(1200), answers421),
        ControlForm(
            "tlsciphers", .whole(ControlReaders.ciphers),
            "STARTTLS is offered and answered with 454 in every session"),
    ]

    /// What qmail-send(8) reads when it starts and at svc -h.
    private static let sender: [ControlForm] = [
        ControlForm("bouncefrom", localPart, noticeWhy, reader: sendmail),
        ControlForm("bouncehost", domain, noticeWhy, reader: sendmail),
        ControlForm("bouncelifetime", .number(nil), keepsOld, reader: sendmail),
        ControlForm("concurrencylocal", .number(10), keepsOld, reader: sendmail),
        ControlForm("concurrencyremote", .number(20), keepsOld, reader: sendmail),
        ControlForm("doublebouncehost", domain, noticeWhy, reader: sendmail),
        ControlForm(
            "doublebounceto",
            .word(
                "the local part of an address, or @", { $0.first == at || Mailbox.isLocalPart($0) }),
            noticeWhy, reader: sendmail),
        ControlForm("queuelifetime", .number(604_800), keepsOld, reader: sendmail),
        ControlForm(
            "virtualdomains", .list("address:prefix", isVirtualDomain),
            "mail for what it means is not delivered here", reader: sendmail),
    ]

    /// What qmail-remote(8) reads for each delivery.
    private static let remote: [ControlForm] = [
        ControlForm(
            "helohost",
            .reader { control throws(ControlFailure) in _ = try control.serverName("helohost") },
            waits),
        ControlForm("ipme", addresses("ipme"), waits),
        ControlForm("notipme", addresses("notipme"), waits),
        ControlForm(
            "notlshosts",
            .list(
                "a server's name or address", { IPAddress($0) != nil || Mailbox.isDomain($0) }),
            "no server is that: TLS is tried with the one it means"),
        ControlForm("outgoingip", addresses("outgoingip"), waits),
        ControlForm("smtproutes", .whole(ControlReaders.routes), waits),
        ControlForm("timeoutconnect", .number(60), waits),
        ControlForm("timeoutremote", .number(1200), waits),
        ControlForm("timeoutsession", .number(3600), waits),
    ]

    private static let answers421 = "qmail-smtpd answers 421 until it is mended"
    private static let keepsOld =
        "qmail-send does not start with it, or goes by what was there before"
    private static let waits = "all mail to other servers waits until it is mended"
    private static let matches =
        "no address has that: mail for what it means is treated as a stranger's"
    private static let noticeWhy =
        "notices to senders or to the postmaster cannot be answered or delivered"
    private static let nameWhy = "addresses that are completed with it are none"
    private static let deliveryWhy = "mail for all users without a .qmail file waits"
    private static let sendmail: (service: StaticString, signal: StaticString) = (
        "qmail-send", "-h"
    )
    private static let start: (service: StaticString, signal: StaticString) = ("qmail-send", "-t")

    private static let at = UInt8(ascii: "@")
    private static let domain = Kind.word("a domain", Mailbox.isDomain)
    private static let localPart = Kind.word("the local part of an address", Mailbox.isLocalPart)

    private static func addresses(_ name: StaticString) -> Kind {
        .whole { _, control in ControlReaders.addresses(control, name) }
    }

    private static func isHosts(_ line: [UInt8]) -> Bool {
        Mailbox.isDomain(line.first == UInt8(ascii: ".") ? Array(line.dropFirst()) : line)
    }

    private static func isVirtualDomain(_ line: [UInt8]) -> Bool {
        guard let (key, prefix) = Routing.virtualDomain(line) else { return false }
        guard prefix.isEmpty || Mailbox.isLocalPart(prefix) else { return false }
        return key.isEmpty || isHosts(key) || SenderEntry.isEntry(key)
    }
}

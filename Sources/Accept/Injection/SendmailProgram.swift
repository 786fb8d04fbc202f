import ByteText
import ControlFiles
import Posix

/// The program sendmail(8): other programs' door to this mail system.
package enum SendmailProgram {
    private static let usage: StaticString =
        "sendmail: usage: sendmail [-t] [-f sender] [-F name] [-N notify] [-R full|hdrs] [-V id] [-bm|-bs|-bp|-bi] [recipient ...]\n"

    /// Do what the arguments ask for by becoming the program that does it.
    ///
    /// - Returns: Only when that cannot be: 100 for arguments that mean nothing, 111 when the program cannot be run.
    package static func run() -> Int32 {
        let arguments = Process.arguments
        if arguments.count == 2, arguments[1].equals("--help") || arguments[1].equals("--version") {
            return FileDescriptor.tell([UInt8](usage), on: 1) ? 0 : InjectFailure.temporary
        }
        let options: SendmailOptions
        do throws(SendmailOptions.Flaw) { options = try SendmailOptions(arguments) } catch {
            FileDescriptor.tell(
                [UInt8]("sendmail: fatal: ") + words(error) + [10] + [UInt8](usage), on: 2)
            return InjectFailure.permanent
        }
        let instance = Instance.current(.current)
        switch options.work {
        case .nothing: return 0
        case .send:
            return become(
                instance.path("/usr/bin/qmail-inject"), injection(options), sender(options))
        case .serve:
            let environment: Environment
            do throws(ControlFailure) {
                environment = try LocalSettings.completed(connection(), instance)
            } catch {
                FileDescriptor.tell([UInt8]("sendmail: fatal: ") + error.text + [10], on: 2)
                return InjectFailure.temporary
            }
            return become(instance.path("/usr/sbin/qmail-smtpd"), [], environment)
        case .list: return become(instance.path("/usr/bin/mailq"), [], .current)
        case .compileAliases: return become(instance.path("/usr/bin/newaliases"), [], .current)
        }
    }

    private static func words(_ flaw: SendmailOptions.Flaw) -> [UInt8] {
        switch flaw {
        case .unknown(let letter): [UInt8]("unknown option -") + [letter.shown]
        case .withoutValue(let letter):
            [UInt8]("option -") + [letter.shown] + [UInt8](" needs a value")
        case .mode(UInt8(ascii: "d")), .mode(UInt8(ascii: "D")):
            [UInt8]("-bd is not for me: tcpserver runs qmail-smtpd, which takes mail by SMTP")
        case .mode(let letter): [UInt8]("mode -b") + [letter.shown] + [UInt8](" is not for me")
        case .noRecipients: [UInt8]("no recipients, and no -t to find them in the message")
        }
    }

    /// The arguments of qmail-inject(8).
    private static func injection(_ options: SendmailOptions) -> [[UInt8]] {
        var words = [[UInt8](options.readsHeader ? "-H" : "-a")]
        if let sender = options.sender { words += [[UInt8]("-f"), sender] }
        words.append([UInt8]("--"))
        return words + options.recipients
    }

    /// The variables of qmail-inject(8): a sender that was given is the author, too, unless the message has one.
    private static func sender(_ options: SendmailOptions) -> Environment {
        var environment = Environment.current
        if let sender = options.sender, !sender.isEmpty {
            for name: StaticString in ["QMAILNAME", "MAILNAME", "NAME", "QMAILHOST", "MAILHOST"] {
                environment.set(name, nil)
            }
            let at = sender.lastIndex(of: UInt8(ascii: "@")) ?? sender.count
            environment.set("QMAILUSER", Array(sender[..<at]))
            if at + 1 < sender.count { environment.set("QMAILHOST", Array(sender[(at + 1)...])) }
        }
        if let name = options.name { environment.set("QMAILNAME", name) }
        if let value = options.notify { environment.set("QMAILNOTIFY", value) }
        if let value = options.returned { environment.set("QMAILRETURN", value) }
        if let value = options.envelopeID { environment.set("QMAILENVELOPEID", value) }
        return environment
    }

    /// The variables of a connection from this machine, which may send to everyone; see tcp-environ(5).
    private static func connection() -> Environment {
        var environment = Environment.current
        environment.set("PROTO", [UInt8]("TCP"))
        environment.set("TCPLOCALIP", [UInt8]("127.0.0.1"))
        environment.set("TCPLOCALPORT", [UInt8]("25"))
        environment.set("TCPREMOTEIP", [UInt8]("127.0.0.1"))
        environment.set("TCPREMOTEPORT", [UInt8]("0"))
        environment.set("TCPREMOTEHOST", [UInt8]("localhost"))
        environment.set("TCPREMOTEINFO", [UInt8](decimal: Process.realUser))
        environment.set("RELAYCLIENT", [])
        // A caller's pipe needs no TLS, and he may not read the key.
        environment.set("NOTLS", [UInt8]("1"))
        for name: StaticString in ["SMTPS", "FORCE_TLS", "REQUIREAUTH", "XCLIENT"] {
            environment.set(name, nil)
        }
        return environment
    }

    private static func become(
        _ path: [UInt8], _ arguments: [[UInt8]], _ environment: Environment
    ) -> Int32 {
        let reason = Process.execute(
            path, arguments: [path] + arguments, environment: environment)
        FileDescriptor.tell(
            [UInt8]("sendmail: fatal: unable to run ") + path + [UInt8](": ") + reason.text + [10],
            on: 2)
        return InjectFailure.temporary
    }
}

extension UInt8 {
    fileprivate var shown: UInt8 { isPrintable ? self : UInt8(ascii: "?") }
}

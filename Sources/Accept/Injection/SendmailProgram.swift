import ByteText
package import CommandLine
import ControlFiles
import Posix

/// The program sendmail(8): other programs' door to this mail system.
package enum SendmailProgram {
    /// Do what the arguments ask for by becoming the program that does it.
    ///
    /// - Returns: Only when that cannot be: 100 for arguments that mean nothing, 111 when the program cannot be run.
    package static func run(_ program: Program) -> Int32 {
        let options: SendmailOptions
        do throws(SendmailOptions.Flaw) { options = try SendmailOptions(Process.arguments) } catch {
            _ = program.fatal(words(error))
            return program.misused()
        }
        let instance = Instance.current(.current)
        switch options.work {
        case .nothing: return 0
        case .send:
            return become(
                program, instance.path("/usr/bin/qmail-inject"), injection(options), sender(options)
            )
        case .serve:
            let environment: Environment
            do throws(ControlFailure) {
                environment = try LocalSettings.completed(connection(), instance)
            } catch {
                return program.fatal(error.text)
            }
            return become(program, instance.path("/usr/sbin/qmail-smtpd"), [], environment)
        case .verify: return verify(program, options.recipients, instance)
        case .list: return become(program, instance.path("/usr/bin/mailq"), [], .current)
        case .compileAliases:
            return become(program, instance.path("/usr/bin/newaliases"), [], .current)
        }
    }

    private static func words(_ flaw: SendmailOptions.Flaw) -> [UInt8] {
        switch flaw {
        case .unknown(let letter): [UInt8]("unknown option -") + [letter.shown]
        case .withoutValue(let letter):
            [UInt8]("option -") + [letter.shown] + [UInt8](" needs a value")
        case .mode(UInt8(ascii: "d")), .mode(UInt8(ascii: "D")):
            [UInt8]("-bd is not for me: tcpserver runs qmail-smtpd, which takes mail by SMTP")
        case .mode(let letter):
            [UInt8]("mode -b") + [letter.shown]
                + [UInt8](" is not for me; sendmail -bv ADDRESS says whether mail can be delivered")
        case .noRecipients: [UInt8]("no recipients, and no -t to find them in the message")
        }
    }

    /// Say of each address whether mail for it can be delivered; the worst answer is the exit code.
    private static func verify(
        _ program: Program, _ recipients: [[UInt8]], _ instance: Instance
    ) -> Int32 {
        Signal.brokenPipe.ignore()
        let control = Control(of: instance)
        do throws(ControlFailure) {
            let host = try HostNames(control, .current).value("QMAILDEFAULTHOST", "defaulthost")
            let locals = try control.lines("locals") ?? [host]
            do throws(Errno) { return try verify(recipients, instance, host, locals) } catch {
                return program.fatal([UInt8]("unable to ask qmail-smtpd: ") + error.text)
            }
        } catch {
            return program.fatal(error.text)
        }
    }

    private static func verify(
        _ recipients: [[UInt8]], _ instance: Instance, _ host: [UInt8], _ locals: [[UInt8]]
    ) throws(Errno) -> Int32 {
        let program = instance.path("/usr/sbin/qmail-smtpd")
        // Whether somebody has it, and whether other servers could send it here.
        var ours = try AddressQuestion(program, connection(), isRelayed: true)
        var others = try AddressQuestion(program, connection(), isRelayed: false)
        var refusal = try ours.greeting()
        if refusal == nil { refusal = try others.greeting() }
        var code: Int32 = 0
        for recipient in recipients {
            let at = recipient.lastIndex(of: UInt8(ascii: "@"))
            let address = at == nil ? recipient + [UInt8(ascii: "@")] + host : recipient
            let domain = (at.map { Array(recipient[($0 + 1)...]) } ?? host).lowercased
            var answer: AddressQuestion.Answer
            if let refusal { answer = refusal } else { answer = try ours.answer(address) }
            if answer == .here, !locals.contains(where: { $0.lowercased == domain }) {
                answer = try others.answer(address)
            }
            code = max(code, answer.code)
            let line = address + [UInt8]("... ") + answer.text
            if !FileDescriptor.tell(line.singleLine + [10], on: 1) {
                return InjectFailure.temporary
            }
        }
        if refusal == nil {
            try ours.finish()
            try others.finish()
        }
        return code
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
        _ program: Program, _ path: [UInt8], _ arguments: [[UInt8]], _ environment: Environment
    ) -> Int32 {
        let reason = Process.execute(
            path, arguments: [path] + arguments, environment: environment)
        return program.fatal([UInt8]("unable to run ") + path + [UInt8](": ") + reason.text)
    }
}

extension UInt8 {
    fileprivate var shown: UInt8 { isPrintable ? self : UInt8(ascii: "?") }
}

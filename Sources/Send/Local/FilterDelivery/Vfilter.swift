import ByteText
package import ControlFiles
import Filter
import FilterStore
import Maildir
package import Posix
import Routing

/// The work of vfilter(8): for the program, and for qmail-local(8), which saves starting it.
package enum Vfilter {
    /// How it ended.
    package struct Result: Sendable {
        /// 0, 99, 100 or 111; see vfilter(8).
        package let code: Int32
        /// What the program writes to descriptor 1: lines, or nothing.
        package let text: [UInt8]

        init(code: VfilterExit, text: [UInt8]) {
            self.code = code.rawValue
            self.text = text
        }

        init(_ failure: VfilterFailure, after text: [UInt8]) {
            code = failure.exit.rawValue
            self.text = text + [UInt8]("vfilter: ") + failure.text + [10]
        }
    }

    /// Where the program is.
    private static let program: StaticString = "/usr/sbin/vfilter"

    /// The arguments with which a command of a .qmail file runs vfilter, when it is nothing but that.
    ///
    /// - Parameters:
    ///   - command: For sh(1).
    ///   - instance: Whose vfilter.
    /// - Returns: Nil for every command that needs a shell or another program.
    package static func arguments(of command: [UInt8], _ instance: Instance) -> [[UInt8]]? {
        let words = command.words
        guard let first = words.first, first == instance.path(program) else { return nil }
        var arguments: [[UInt8]] = []
        for word in words.dropFirst() {
            if word.equals("''") {
                arguments.append([])
                continue
            }
            for byte in word where !byte.isLetter && !byte.isDigit {
                guard
                    byte == UInt8(ascii: "-") || byte == UInt8(ascii: ".")
                        || byte == UInt8(ascii: "/") || byte == UInt8(ascii: "_")
                else { return nil }
            }
            arguments.append(word)
        }
        return arguments
    }

    /// Filter a message.
    ///
    /// Files are made with the process's umask, and SIGPIPE must be ignored. A program that a rule names has
    /// descriptors 1 and 2 of the process.
    ///
    /// - Parameters:
    ///   - arguments: The program's, without its name.
    ///   - environment: The variables of qmail-command(8) among it.
    ///   - message: A file; its position does not count, and changes.
    /// - Returns: How the program would end, and what it would write.
    package static func run(
        _ arguments: [[UInt8]], environment: Environment, message: borrowing FileDescriptor
    ) -> Result {
        var text: [UInt8] = []
        do throws(VfilterFailure) {
            let exit = try filter(arguments, environment, message, &text)
            return Result(code: exit, text: text)
        } catch {
            return Result(error, after: text)
        }
    }

    private static func filter(
        _ arguments: [[UInt8]], _ environment: Environment, _ message: borrowing FileDescriptor,
        _ text: inout [UInt8]
    ) throws(VfilterFailure) -> VfilterExit {
        let options = try VfilterOptions(arguments)
        guard let variables = DeliveryVariables(environment) else { throw .environment }
        let isForDomain = options.unknown != nil
        let maildir = try path(options, variables)
        let action = FilterAction(
            variables: variables, environment: environment,
            folders: FolderDelivery(maildir: maildir ?? [], makesMaildir: options.isDefault))
        guard let maildir else {
            return try refuse(options, action, message)
        }
        let instance = Instance.current(environment)
        let search = RuleSearch(
            store: FilterStore(of: instance),
            owner: variables.owner(isForDomain: isForDomain), maildir: maildir,
            sender: variables.sender,
            original: { text throws(VfilterFailure) in try original(text, instance) })
        let decision = try search.decision(for: message)
        for found in decision.copies {
            text += [UInt8]("vfilter: ") + FilterAction.words(found) + [10]
            try action.copy(found, of: message)
        }
        guard let found = decision.last else {
            guard isForDomain else { return .goOn }
            try action.folders.deliver(
                message, head: variables.returnPath + variables.deliveredTo, to: nil)
            return .delivered
        }
        text += [UInt8]("vfilter: ") + FilterAction.words(found) + [10]
        let isNothing = found.rule.action.copy == nil && !found.rule.action.bounces
        // What comes after us knows best where the inbox is.
        if found.rule.destination == .inbox, isNothing, !isForDomain { return .goOn }
        try action.run(found, on: message)
        return .delivered
    }

    /// The address that an envelope had, without the prefix that control/virtualdomains gives its domain.
    private static func original(
        _ address: [UInt8], _ instance: Instance
    ) throws(VfilterFailure) -> [UInt8] {
        let control = Control(of: instance)
        do throws(ControlFailure) {
            let host = try control.line("me") ?? []
            return Routing(
                defaultHost: host, locals: try control.lines("locals") ?? [host],
                percentDomains: [], virtualDomains: try control.lines("virtualdomains") ?? []
            ).original(address)
        } catch {
            throw .control(error.text)
        }
    }

    /// The recipient's maildir; nil when it is a domain's user who has none.
    private static func path(
        _ options: VfilterOptions, _ variables: DeliveryVariables
    ) throws(VfilterFailure) -> [UInt8]? {
        let slash = [UInt8(ascii: "/")]
        guard options.unknown != nil, let user = variables.matched?.lowercased else {
            let path = options.maildir ?? [UInt8]("Maildir")
            return path.first == slash[0] ? path : variables.home + slash + path
        }
        guard let first = user.first, first != UInt8(ascii: "."), !user.contains(slash[0]) else {
            return nil
        }
        let path = variables.home + slash + user + [UInt8]("/Maildir")
        do throws(MaildirFailure) {
            return try Maildir.exists(path) ? path : nil
        } catch {
            if error.reason == .nameTooLong || error.reason == .notDirectory { return nil }
            throw .mailbox(error)
        }
    }

    private static func refuse(
        _ options: VfilterOptions, _ action: FilterAction, _ message: borrowing FileDescriptor
    ) throws(VfilterFailure) -> VfilterExit {
        switch options.unknown {
        case .bounce, nil: throw .noSuchMailbox
        case .delete: break
        case .forward(let address): try action.forward(message, to: address, [])
        }
        return .delivered
    }
}

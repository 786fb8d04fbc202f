import ByteText
import ControlFiles
import Filter
import FilterStore
import Maildir
import Posix

/// The program vfilter(8).
package enum VfilterProgram {
    /// A file in tmp/ is taken for abandoned after 36 hours, so the process must be over by then.
    private static let lifetime: UInt32 = 86400

    /// Filter the message on descriptor 0, as qmail-local(8) runs a program.
    ///
    /// - Returns: 0 when no rule fits and the delivery is to go on; 99 when the message is delivered; 100 when the
    ///   sender is to get it back; 111 when it must be tried again.
    package static func run() -> Int32 {
        Process.setFileModeMask(0o077)
        Signal.brokenPipe.ignore()
        Signal.fileSize.ignore()
        Signal.alarm.exitsProcess(with: VfilterExit.deferred.rawValue)
        Alarm.set(seconds: lifetime)
        do throws(VfilterFailure) {
            return try filter().rawValue
        } catch {
            FileDescriptor.tell([UInt8]("vfilter: ") + error.text + [10], on: 1)
            return error.exit.rawValue
        }
    }

    private static func filter() throws(VfilterFailure) -> VfilterExit {
        let options = try VfilterOptions(Array(Process.arguments.dropFirst()))
        let environment = Environment.current
        guard let variables = DeliveryVariables(environment) else { throw .environment }
        let isForDomain = options.unknown != nil
        let maildir = try path(options, variables)
        let action = FilterAction(
            variables: variables, environment: environment,
            folders: FolderDelivery(maildir: maildir ?? [], makesMaildir: options.isDefault))
        let message: FileDescriptor
        do throws(Errno) { message = try self.message() } catch { throw .message(error) }
        guard let maildir else {
            return try refuse(options, action, message)
        }
        let search = RuleSearch(
            store: FilterStore(of: Instance.current(environment)),
            owner: variables.owner(isForDomain: isForDomain), maildir: maildir,
            sender: variables.sender)
        guard let found = try search.first(for: message) else {
            guard isForDomain else { return .goOn }
            try action.folders.deliver(
                message, head: variables.returnPath + variables.deliveredTo, to: nil)
            return .delivered
        }
        FileDescriptor.tell([UInt8]("vfilter: ") + FilterAction.words(found) + [10], on: 1)
        let isNothing = found.rule.action.copy == nil && !found.rule.action.bounces
        // What comes after us knows best where the inbox is.
        if found.rule.destination == .inbox, isNothing, !isForDomain { return .goOn }
        try action.run(found, on: message)
        return .delivered
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

    /// The message as a file that can be read more than once.
    private static func message() throws(Errno) -> FileDescriptor {
        let input = FileDescriptor(adopting: 0)
        if try input.status().kind == .file { return input }
        let copy = try FileDescriptor.inMemory()
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = try input.read(into: &buffer)
            if count == 0 { break }
            try copy.write(Array(buffer[..<count]))
        }
        return copy
    }
}

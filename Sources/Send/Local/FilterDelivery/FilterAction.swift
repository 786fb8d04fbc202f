import ByteText
import ControlFiles
import Envelope
import Filter
import Posix
import QueueClient

/// Does what a rule says with a message.
struct FilterAction {
    let variables: DeliveryVariables
    let environment: Environment
    let folders: FolderDelivery

    /// Do it.
    ///
    /// Whoever else gets the message gets it first: that fails more often than a delivery here, and what follows a
    /// failure is done again.
    ///
    /// - Throws: A failure, or `bounced` when all is done and the sender is to get the message back.
    func run(
        _ found: RuleSearch.Found, on message: borrowing FileDescriptor
    ) throws(VfilterFailure) {
        let rule = found.rule
        let field = Self.field(found)
        try copy(found, of: message)
        let head = variables.returnPath + variables.deliveredTo + field
        switch rule.destination {
        case .inbox: try folders.deliver(message, head: head, to: nil)
        case .folder(let name): try folders.deliver(message, head: head, to: name)
        case .discard: break
        }
        if rule.action.bounces { throw .bounced(rule: rule.name) }
    }

    /// Give whom a rule names his copy.
    func copy(
        _ found: RuleSearch.Found, of message: borrowing FileDescriptor
    ) throws(VfilterFailure) {
        switch found.rule.action.copy {
        case .address(let address): try forward(message, to: address, Self.field(found))
        case .program(let command): try pipe(message, to: command)
        case nil: break
        }
    }

    /// `X-Filter`, which says what was done and why.
    static func field(_ found: RuleSearch.Found) -> [UInt8] {
        [UInt8]("X-Filter: ") + words(found) + [10]
    }

    /// The rule and what it does, on one line.
    static func words(_ found: RuleSearch.Found) -> [UInt8] {
        var words = [UInt8](decimal: found.rule.number)
        words.append(" \"")
        words += found.rule.name + [UInt8]("\" of ")
        words += found.address.text.singleLine
        words.append(": ")
        return words + found.rule.destination.text
    }

    /// Send it on; the queue's header lines for the new message are its own.
    func forward(
        _ message: borrowing FileDescriptor, to address: [UInt8], _ field: [UInt8]
    ) throws(VfilterFailure) {
        do throws(Errno) { try message.seek(to: 0) } catch { throw .message(error) }
        do throws(QueueFailure) {
            _ = try QueueRun.queue(
                head: variables.deliveredTo + field, then: message,
                envelope: EnvelopeWriter.bytes(from: variables.forwarder, to: [address]),
                program: Instance.current(environment).qmailQueue, environment: environment)
        } catch {
            throw .queue(error)
        }
    }

    private func pipe(
        _ message: borrowing FileDescriptor, to command: [UInt8]
    ) throws(VfilterFailure) {
        let ending: Child.Ending
        do throws(Errno) {
            try message.seek(to: 0)
            let launch = Launch(
                [UInt8]("/bin/sh"), arguments: [[UInt8]("sh"), [UInt8]("-c"), command],
                environment: environment, descriptors: [message.rawValue, 1, 2])
            ending = try launch.start().wait()
        } catch {
            let reason = [UInt8]("unable to run the filter's program: ") + error.text
            throw .program(isTemporary: true, reason: reason)
        }
        switch ending {
        case .exited(0), .exited(99): return
        case .exited(let code):
            let reason = [UInt8]("the filter's program ended with code ") + [UInt8](decimal: code)
            throw .program(isTemporary: !Self.isPermanent(code), reason: reason)
        case .killed:
            throw .program(isTemporary: true, reason: [UInt8]("the filter's program was killed"))
        }
    }

    /// As qmail-command(8) says.
    private static func isPermanent(_ code: Int32) -> Bool {
        switch code {
        case 100, 64, 65, 70, 76, 77, 78, 112: true
        default: false
        }
    }
}

import ByteText
import ControlFiles
import DotQmail
import FilterDelivery
import Maildir
import Posix

/// One message for one recipient.
struct Delivery: ~Copyable {
    /// What is asked for; see the options of qmail-local(8).
    struct Kind {
        /// Whether it is only told what would be done.
        var isDry = false
        /// Whether the fallback counts and no file does: the address is an alias.
        var isAlias = false
        /// Whether the address's alias has sent it here, so that its line may be in the header once.
        var isBehindAlias = false
    }

    private let address: DeliveryAddress
    private let message: FileDescriptor
    private let environment: Environment
    /// What users get who say nothing.
    private let fallback: [UInt8]
    private let kind: Kind
    private var files = 0
    private var programs = 0
    private var forwards: [[UInt8]] = []
    private var queued: Int32?
    /// What is told on descriptor 1 when all is done.
    private(set) var words: [UInt8] = []

    /// Seconds after which a maildir delivery ends, for the file in tmp/ is taken for abandoned after 36 hours.
    private static let lifetime: UInt32 = 86400

    /// A delivery of the message, a file, from its start.
    init(
        _ address: DeliveryAddress, message: consuming FileDescriptor, fallback: [UInt8],
        kind: Kind, environment: Environment
    ) {
        self.address = address
        self.message = message
        self.fallback = fallback
        self.kind = kind
        self.environment = environment
    }

    private var isDry: Bool { kind.isDry }

    /// Do what the recipient's .qmail file says.
    mutating func perform() throws(DeliveryFailure) {
        let isBeingEdited = try HomeFolder.enter(address.home)
        if isBeingEdited, !isDry {
            throw DeliveryFailure(
                .temporary, "The home folder is sticky: its owner is editing. (#4.2.1)")
        }
        if !isDry { try checkLoop() }
        let orders = try orders()
        for doubt in orders.doubts { words += doubt + [10] }
        try carryOut(orders)
        if isDry { for address in forwards { tell(.forward(address)) } }
        if !isDry, !forwards.isEmpty { try sendOn() }
        count()
    }

    private func orders() throws(DeliveryFailure) -> HomeFolder.Orders {
        if kind.isAlias { return try HomeFolder.orders(ofAlias: fallback) }
        let instance = Instance.current(environment)
        return try HomeFolder.orders(
            address, otherwise: fallback,
            isFilter: { Vfilter.arguments(of: $0, instance) != nil })
    }

    /// Follow the instructions in order, but for addresses, which are only gathered.
    private mutating func carryOut(_ orders: HomeFolder.Orders) throws(DeliveryFailure) {
        var variables: Environment?
        for step in orders.steps {
            let instruction = step.instruction
            if case .forward(let address) = instruction {
                forwards.append(address)
                continue
            }
            if orders.isList {
                throw HomeFolder.flaw(
                    orders.name, [UInt8]("it is a list, and has more than addresses"))
            }
            if isDry {
                tell(instruction)
                continue
            }
            switch instruction {
            case .maildir(let path): try deliver(maildir: path)
            case .mbox(let path): try deliver(mbox: path)
            case .program(let command):
                if variables == nil { variables = try self.variables(orders) }
                if try !run(command, step, variables ?? environment) { return }
            case .forward: continue
            }
        }
    }

    /// Run a command, and say whether the lines that follow count.
    private mutating func run(
        _ command: [UInt8], _ step: HomeFolder.Step, _ variables: Environment
    ) throws(DeliveryFailure) -> Bool {
        let filtered = try FilterLine.run(command, message: message, environment: variables)
        guard let filtered else {
            programs += 1
            return try ProgramDelivery.run(
                command, place: step.place, message: message, environment: variables)
        }
        // A filter that lets a message pass is no delivery.
        if !filtered.goesOn { programs += 1 }
        words += filtered.text
        return filtered.goesOn
    }

    /// A message that was here already is not delivered again.
    private func checkLoop() throws(DeliveryFailure) {
        var check = LoopCheck(
            line: address.deliveredTo, allowed: kind.isBehindAlias ? 1 : 0)
        var buffer = [UInt8](repeating: 0, count: 1 << 12)
        var offset = 0
        while !check.isOver {
            let count: Int
            do throws(Errno) { count = try message.read(into: &buffer, at: offset) } catch {
                throw DeliveryFailure(unable: "read the message", [], error)
            }
            if count == 0 { return }
            check.read(buffer[..<count])
            offset += count
        }
        if check.isLooping {
            throw DeliveryFailure(
                .permanent,
                "This message is looping: it already has my Delivered-To line. (#5.4.6)")
        }
    }

    private mutating func deliver(maildir path: [UInt8]) throws(DeliveryFailure) {
        files += 1
        // It ends the process; nothing of it is in new/ then, or all.
        Alarm.set(seconds: Self.lifetime)
        do throws(MaildirFailure) {
            do throws(MaildirFailure) {
                try put(into: path)
            } catch {
                // Another delivery may be making it right now: what is there of it stays, and what is missing is made.
                guard error.reason == .noSuchFile,
                    let place = MissingMaildir.place(of: path, fallback: fallback)
                else { throw error }
                try Maildir.make(place, isFolder: false)
                try put(into: path)
            }
        } catch {
            throw DeliveryFailure(.temporary, words: error.text)
        }
        Alarm.set(seconds: 0)
    }

    private func put(into maildir: [UInt8]) throws(MaildirFailure) {
        try Maildir.deliver(
            head: address.returnPath + address.deliveredTo, message: message, to: maildir,
            host: Process.hostName)
    }

    private mutating func deliver(mbox path: [UInt8]) throws(DeliveryFailure) {
        files += 1
        let head =
            address.fromLine(seconds: Clock.seconds) + address.returnPath + address.deliveredTo
        try MboxFile.append(head, message, to: path)
    }

    private func newSender() throws(DeliveryFailure) -> [UInt8] {
        if address.sender.isEmpty { return [] }
        let hasOwner = try HomeFolder.has("-owner", for: address)
        return address.newSender(
            hasOwner: hasOwner,
            ownerTakesAll: hasOwner ? try HomeFolder.has("-owner-default", for: address) : false)
    }

    private func variables(_ orders: HomeFolder.Orders) throws(DeliveryFailure) -> Environment {
        var environment = environment
        let variables = address.variables(
            newSender: try newSender(), defaultStart: orders.defaultStart, seconds: Clock.seconds)
        for (name, value) in variables { environment.set(name, value) }
        return environment
    }

    /// Queue it for all addresses at once.
    private mutating func sendOn() throws(DeliveryFailure) {
        queued = try Forwarding.send(
            message, head: address.deliveredTo, sender: try newSender(), to: forwards,
            environment: environment)
    }

    /// Append how many files, addresses and programs the message went to.
    private mutating func count() {
        words += [UInt8]("did ") + [UInt8](decimal: files)
        words += [UInt8]("+") + [UInt8](decimal: isDry ? 0 : forwards.count)
        words += [UInt8]("+") + [UInt8](decimal: programs) + [10]
        if let queued { words += [UInt8]("qp ") + [UInt8](decimal: queued) + [10] }
    }

    private mutating func tell(_ instruction: DotQmail.Instruction) {
        let (what, object): (StaticString, [UInt8]) =
            switch instruction {
            case .mbox(let path): ("mbox ", path)
            case .maildir(let path): ("maildir ", path)
            case .program(let command): ("program ", command)
            case .forward(let address): ("forward ", address)
            }
        words += [UInt8](what) + object.singleLine + [10]
    }
}

import CCares
import DNSMessage
import Posix

/// A question on its way, with c-ares: servers, rounds, ids, TCP and EDNS are its business; ares_query(3).
struct Channel: ~Copyable {
    private let channel: ares_channel

    /// Milliseconds for which the first round waits for each server; each further round waits twice as long.
    private static let patience: Int32 = 1000
    private static let rounds: Int32 = 4

    /// What c-ares says in the end.
    struct Ending {
        var status: Int32?
        var message: [UInt8] = []
    }

    /// A channel to the servers of a list as ares_set_servers_csv(3) takes it, or else of the file.
    ///
    /// - Throws: `LookupFailure.temporary` when there is no memory for it.
    init(servers: [UInt8]?, file: [UInt8]) throws(LookupFailure) {
        guard let channel = Self.open(file) else { throw .temporary }
        self.channel = channel
        if let servers {
            // What is no list leaves the file's servers.
            _ = withCString(servers) { ares_set_servers_csv(channel, $0) }
        }
    }

    deinit { ares_destroy(channel) }

    private static func open(_ file: [UInt8]) -> ares_channel? {
        var options = ares_options()
        options.flags = Int32(ARES_FLAG_NOSEARCH | ARES_FLAG_NOALIASES)
        options.timeout = patience
        options.tries = rounds
        var channel: ares_channel?
        let mask =
            Int32(ARES_OPT_FLAGS) | Int32(ARES_OPT_TIMEOUTMS) | Int32(ARES_OPT_TRIES)
            | Int32(ARES_OPT_RESOLVCONF)
        var path = file.map { CChar(bitPattern: $0) } + [0]
        var span = path.mutableSpan
        let status = span.withUnsafeMutableBufferPointer { raw in
            options.resolvconf_path = raw.baseAddress
            return ares_init_options(&channel, &options, mask)
        }
        return status == ccares_success ? channel : nil
    }

    /// Ask for the records of a name and wait for the answer, at most until the deadline.
    func answer(
        _ name: [UInt8], _ type: RecordType, until deadline: Deadline
    ) throws(Errno) -> Ending {
        let channel = self.channel
        var ending = Ending()
        return try withUnsafeMutablePointer(to: &ending) { (ending) throws(Errno) -> Ending in
            withCString(name) { name in
                ares_query(
                    channel, name, 1, Int32(type.rawValue),
                    { context, status, _, message, count in
                        guard let ending = context?.assumingMemoryBound(to: Ending.self) else {
                            return
                        }
                        ending.pointee.status = status
                        ending.pointee.message = Array(
                            UnsafeBufferPointer(start: message, count: Int(count)))
                    }, ending)
            }
            // c-ares writes into `ending` until it has said something, at the latest when it is cancelled.
            while ending.pointee.status == nil {
                if deadline.hasPassed {
                    ares_cancel(channel)
                    continue
                }
                do throws(Errno) { try Self.step(channel, until: deadline) } catch {
                    ares_cancel(channel)
                    throw error
                }
            }
            return ending.pointee
        }
    }

    /// Wait for the servers, as long as c-ares says, and let it look.
    private static func step(_ channel: ares_channel, until deadline: Deadline) throws(Errno) {
        var wanted: [(fd: Int32, interest: Polling.Interest)] = []
        var fd: Int32 = -1
        var i: Int32 = 0
        while true {
            let events = ccares_wanted(channel, i, &fd)
            if events == 0 { break }
            if events & POLLIN != 0 { wanted.append((fd, .readable)) }
            if events & POLLOUT != 0 { wanted.append((fd, .writable)) }
            i += 1
        }
        let wait = Deadline(
            milliseconds: Int(ccares_wait(channel, Int32(clamping: deadline.remaining))))
        let ready = try Polling.waitForSome(wanted, until: wait)
        if ready.isEmpty { ares_process_fd(channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD) }
        for i in ready {
            let fd = wanted[i].fd
            let isReading = if case .readable = wanted[i].interest { true } else { false }
            ares_process_fd(
                channel, isReading ? fd : ARES_SOCKET_BAD, isReading ? ARES_SOCKET_BAD : fd)
        }
    }
}

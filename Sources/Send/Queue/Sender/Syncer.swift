import Posix
import SendQueue

/// The process that waits for the disk, so that qmail-send does not: a fork(2) of it that ends with it.
///
/// A flush takes milliseconds, in which no delivery could be started or reported.
enum Syncer {
    /// Start it.
    ///
    /// - Parameter queues: All queues, in the order that requests mean.
    /// - Returns: Where requests go, and where answers come from.
    /// - Throws: When there are no pipes or processes left.
    static func start(_ queues: [SendQueue]) throws(Errno) -> Ends {
        let requests = try Pipe()
        let answers = try Pipe()
        let toSyncer = requests.writing.rawValue
        let fromSyncer = answers.reading.rawValue
        if try Process.fork() == nil {
            // What it held open would not end for the others when qmail-send does.
            let others =
                [
                    SenderDescriptor.toLocal, SenderDescriptor.fromLocal,
                    SenderDescriptor.toRemote, SenderDescriptor.fromRemote,
                    SenderDescriptor.toClean, SenderDescriptor.fromClean,
                ] + [toSyncer, fromSyncer]
            for number in others { _ = FileDescriptor(adopting: number) }
            serve(queues, from: requests.reading, to: answers.writing)
            Process.exit(0)
        }
        return Ends(output: requests.keepWriting(), input: answers.keepReading())
    }

    /// qmail-send's ends.
    struct Ends: ~Copyable {
        let output: FileDescriptor
        let input: FileDescriptor
    }

    /// Answer requests until nobody can make any.
    private static func serve(
        _ queues: [SendQueue], from input: borrowing FileDescriptor,
        to output: borrowing FileDescriptor
    ) {
        var buffer = [UInt8](repeating: 0, count: 4096)
        var rest: [UInt8] = []
        do throws(Errno) {
            while true {
                let count = try input.read(into: &buffer)
                if count == 0 { return }
                rest += buffer[..<count]
                while rest.count >= SyncRequest.size {
                    try output.write(answer(rest[..<SyncRequest.size], queues))
                    rest.removeFirst(SyncRequest.size)
                }
            }
        } catch {
            // qmail-send is gone, or sees that this is.
        }
    }

    private static func answer(_ bytes: ArraySlice<UInt8>, _ queues: [SendQueue]) -> [UInt8] {
        guard let request = SyncRequest(bytes), queues.indices.contains(request.queue) else {
            return SyncRequest.answer(.invalid)
        }
        do throws(Errno) {
            try request.files.sync(in: queues[request.queue], request.id)
            return SyncRequest.answer(nil)
        } catch {
            return SyncRequest.answer(error)
        }
    }
}

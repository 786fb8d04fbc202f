import ByteText
import Posix
import QueueStore
import SendQueue

/// Tells of new names in todo/: by inotify(7), and where that cannot be had by lock/trigger.
final class NewMail {
    private let watch: Watch?
    private let number: Int32?
    /// The folder that a number of the watch stands for, by queue, and whether it is one of hold/.
    private var folders: [(number: Int32, queue: Int, isHold: Bool)] = []
    /// Open for the life of the process.
    private var triggers: [Int32] = []
    /// Queues whose new mail is only found by looking.
    private(set) var silent: [Int] = []

    enum Event {
        case message(queue: Int, id: UInt64)
        /// One that waits for a scan.
        case held(queue: Int, id: UInt64)
        /// Something is new, perhaps: look.
        case look
    }

    init(_ queues: [SendQueue]) {
        do throws(Errno) {
            let watch = try Watch()
            number = watch.descriptor.rawValue
            self.watch = consume watch
        } catch {
            // The triggers are for this.
            number = nil
            watch = nil
        }
        for (index, queue) in queues.enumerated() where !isWatching(queue, index) {
            do throws(Errno) {
                // For writing too, so that it does not end when the last qmail-queue closes it.
                let path = queue.directory.file("lock/trigger")
                let trigger = try FileDescriptor.open(path, .readWrite)
                try trigger.setNonBlocking(true)
                triggers.append(trigger.release())
            } catch {
                silent.append(index)
            }
        }
    }

    private func isWatching(_ queue: SendQueue, _ index: Int) -> Bool {
        do throws(Errno) {
            for number in 0..<queue.directory.split {
                let folder = queue.directory.folder("todo", UInt64(number))
                guard let watched = try watch?.add(folder) else { return false }
                folders.append((watched, index, false))
            }
            watchHeld(queue, index)
            return true
        } catch {
            return false
        }
    }

    /// What is not watched, or is not there before queue-fix(8) has made it, is found by looking.
    private func watchHeld(_ queue: SendQueue, _ index: Int) {
        do throws(Errno) {
            for number in 0..<queue.directory.split {
                let folder = queue.directory.folder("hold", UInt64(number))
                guard let watched = try watch?.add(folder) else { return }
                folders.append((watched, index, true))
            }
        } catch {
            return
        }
    }

    /// What to wait for.
    var descriptors: [Int32] {
        number.map { triggers + [$0] } ?? triggers
    }

    /// What has happened since the last call.
    func events() -> [Event] {
        var events: [Event] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        for number in triggers {
            let trigger = FileDescriptor(adopting: number)
            do throws(Errno) {
                while try trigger.read(into: &buffer) == buffer.count {}
                events.append(.look)
            } catch {
                if error != .wouldBlock { events.append(.look) }
            }
            _ = trigger.release()
        }
        do throws(Errno) {
            for event in try watch?.events() ?? [] {
                switch event {
                case .lost: events.append(.look)
                case .name(let folder, let name):
                    guard let id = name.decimalValue,
                        let i = folders.firstIndex(where: { $0.number == folder })
                    else { continue }
                    let queue = folders[i].queue
                    events.append(
                        folders[i].isHold
                            ? .held(queue: queue, id: UInt64(id))
                            : .message(queue: queue, id: UInt64(id)))
                }
            }
        } catch {
            events.append(.look)
        }
        return events
    }
}

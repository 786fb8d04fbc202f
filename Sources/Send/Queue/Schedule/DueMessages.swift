/// A message with the time at which it is to be tried: 16 bytes.
package struct DueMessage: Sendable {
    /// Which.
    package let key: MessageKey
    private let seconds: UInt32
    /// Whether it is still in todo/: a message with one recipient, whom nobody has tried yet.
    package let isFresh: Bool

    /// A message that is due at a time in seconds since 1970.
    package init(_ key: MessageKey, at time: Int, isFresh: Bool) {
        self.key = key
        seconds = UInt32(clamping: time)
        self.isFresh = isFresh
    }

    /// Seconds since 1970.
    package var time: Int { Int(seconds) }
}

/// Messages by the time at which they are due: a binary heap, 16 bytes for each.
package struct DueMessages: Sendable {
    private var heap: [DueMessage] = []

    /// No messages.
    package init() {}

    /// How many there are, and the one that is due first.
    package var count: Int { heap.count }
    package var first: DueMessage? { heap.first }

    /// Add a message.
    package mutating func insert(_ message: DueMessage) {
        heap.append(message)
        var i = heap.count - 1
        while i > 0 {
            let parent = (i - 1) / 2
            if heap[parent].time <= message.time { break }
            heap[i] = heap[parent]
            i = parent
        }
        heap[i] = message
    }

    /// Take the one that is due first.
    package mutating func removeFirst() -> DueMessage? {
        guard let first = heap.first, let last = heap.popLast() else { return nil }
        if heap.isEmpty { return first }
        var i = 0
        while true {
            var child = 2 * i + 1
            if child >= heap.count { break }
            if child + 1 < heap.count, heap[child + 1].time < heap[child].time { child += 1 }
            if last.time <= heap[child].time { break }
            heap[i] = heap[child]
            i = child
        }
        heap[i] = last
        return first
    }

    /// Take a message out, however often it is there; rare, so all are looked at.
    package mutating func removeAll(of key: MessageKey) {
        let others = heap.filter { $0.key != key }
        if others.count == heap.count { return }
        heap = []
        for message in others { insert(message) }
    }

    /// Let all be due at once.
    package mutating func makeAllDue() {
        for i in heap.indices {
            heap[i] = DueMessage(heap[i].key, at: 0, isFresh: heap[i].isFresh)
        }
    }
}

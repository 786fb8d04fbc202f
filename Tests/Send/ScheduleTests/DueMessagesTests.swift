import Schedule
import Testing

private func makeKey(_ id: UInt64, queue: Int = 0) throws -> MessageKey {
    try #require(MessageKey(queue: queue, id: id))
}

@Test func `messages come out in the order of their times, whatever the order they came in`() throws
{
    for count in [0, 1, 2, 3, 10, 257, 1000] {
        var messages = DueMessages()
        var times: [Int] = []
        for id in 0..<count {
            let time = Int.random(in: 0...(count / 2 + 1))
            times.append(time)
            messages.insert(DueMessage(try makeKey(UInt64(id)), at: time, isFresh: id % 2 == 0))
        }
        #expect(messages.count == count)
        var out: [DueMessage] = []
        while let message = messages.removeFirst() { out.append(message) }
        #expect(out.map { $0.time } == times.sorted())
        #expect(Set(out.map { $0.key.id }).count == count)
        #expect(out.allSatisfy { $0.time == times[Int($0.key.id)] })
        #expect(out.allSatisfy { $0.isFresh == ($0.key.id % 2 == 0) })
    }
}

@Test func `adding and taking in turns gives the smallest of what is there`() throws {
    var messages = DueMessages()
    var model: [Int] = []
    for step in 0..<5000 {
        if Bool.random() || model.isEmpty {
            let time = Int.random(in: 0..<100)
            messages.insert(DueMessage(try makeKey(UInt64(step)), at: time, isFresh: false))
            model.append(time)
        } else {
            let smallest = model.min() ?? -1
            #expect(messages.first?.time == smallest)
            let taken = messages.removeFirst()
            #expect(taken?.time == smallest)
            model.remove(at: model.firstIndex(of: smallest) ?? 0)
        }
        #expect(messages.count == model.count)
    }
}

@Test func `all are due at once after SIGALRM, and keep their order of adding later ones behind`()
    throws
{
    var messages = DueMessages()
    for id in 1...50 {
        messages.insert(
            DueMessage(try makeKey(UInt64(id)), at: 1_000_000 + id, isFresh: id.isMultiple(of: 3)))
    }
    messages.makeAllDue()
    messages.insert(DueMessage(try makeKey(99), at: 5, isFresh: false))
    var ids: Set<UInt64> = []
    for _ in 1...50 {
        let first = messages.removeFirst()
        let message = try #require(first)
        #expect(message.time == 0 && message.isFresh == message.key.id.isMultiple(of: 3))
        ids.insert(message.key.id)
    }
    let last = messages.removeFirst()
    #expect(ids.count == 50 && last?.key.id == 99)
}

@Test func `times beyond 32 bits are the nearest that fit`() throws {
    #expect(DueMessage(try makeKey(1), at: -5, isFresh: false).time == 0)
    #expect(DueMessage(try makeKey(1), at: .max, isFresh: false).time == Int(UInt32.max))
}

@Test func `a key is a queue and a number, or nil beyond the limits`() throws {
    for (queue, id) in [(0, 0), (0, 1), (254, (1 << 56) - 1), (7, 1 << 40)] as [(Int, UInt64)] {
        let key = try #require(MessageKey(queue: queue, id: id))
        #expect(key.queue == queue && key.id == id)
    }
    #expect(MessageKey(queue: 255, id: 1) == nil)
    #expect(MessageKey(queue: -1, id: 1) == nil)
    #expect(MessageKey(queue: 0, id: 1 << 56) == nil)
}

@Test func `a set of messages agrees with Swift's own under random changes`() throws {
    struct Name: Hashable {
        let queue: Int
        let id: UInt64
    }
    // Few numbers give collisions and chains that wrap around; multiples of a power of two hash badly.
    for (range, factor) in [(20, 1), (300, 1), (300, 1 << 20), (5000, 151)] as [(Int, UInt64)] {
        var set = MessageSet()
        var model: Set<Name> = []
        for step in 0..<20_000 {
            let name = Name(
                queue: Int.random(in: 0..<3), id: UInt64.random(in: 0..<UInt64(range)) * factor)
            let key = try makeKey(name.id, queue: name.queue)
            // It grows first and shrinks to nothing later.
            if Int.random(in: 0..<20_000) > step {
                let isNew = set.insert(key)
                let isNewInModel = model.insert(name).inserted
                #expect(isNew == isNewInModel)
            } else {
                set.remove(key)
                model.remove(name)
            }
            #expect(set.count == model.count)
            if step % 500 == 0 {
                for queue in 0..<3 {
                    for id in 0..<UInt64(range) {
                        let name = Name(queue: queue, id: id * factor)
                        #expect(
                            set.contains(try makeKey(name.id, queue: queue)) == model.contains(name)
                        )
                    }
                }
            }
        }
        for name in model { set.remove(try makeKey(name.id, queue: name.queue)) }
        #expect(set.count == 0)
        let one = try makeKey(1)
        let isNew = set.insert(one)
        #expect(isNew)
        #expect(set.contains(one))
    }
}

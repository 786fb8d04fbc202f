import DeliverySpawner

/// What qmail-send writes to a spawner: any bytes are the same jobs however they are cut, within the limits, and each
/// answer is one frame.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzJobs(_ data: UnsafePointer<UInt8>, _ size: Int) -> Int32 {
    let bytes = Array(UnsafeBufferPointer(start: data, count: size))
    var whole = JobReader()
    let events = whole.read(bytes[...])
    var cut = JobReader()
    var others: [JobReader.Event] = []
    let step = Int(bytes.first ?? 0) % 7 + 1
    for start in stride(from: 0, to: size, by: step) {
        others += cut.read(bytes[start..<min(size, start + step)])
    }
    if others != events || whole.isInside != cut.isInside { fatalError("cuts change jobs") }
    for event in events {
        switch event {
        case .job(let job):
            if job.mess.isEmpty || job.mess.count > JobReader.pathLimit || job.recipient.isEmpty
                || max(job.sender.count, job.recipient.count) > JobReader.addressLimit
                || (job.mess + job.sender + job.recipient).contains(0)
            {
                fatalError("a job is outside of the limits")
            }
        case .refused(let number, let report): check(report.frame(number))
        }
    }
    check(JobReport(.deferral, bytes).frame(0x4141))
    return 0
}

private func check(_ frame: [UInt8]) {
    let text = frame.dropFirst(3).dropLast()
    if frame.count > 2004 || frame.last != 0
        || !text.allSatisfy({ $0 >= 32 && $0 < 127 || $0 == 10 })
    {
        fatalError("a report is no frame")
    }
}

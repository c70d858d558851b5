import type { Event } from '../model/event.ts';

/** A binary heap of events by `ktime_ns`; of equal ones the first pushed comes out first. */
export class EventHeap {
  readonly #events: Event[] = [];
  readonly #arrivals: number[] = [];
  #arrived = 0;

  get size(): number {
    return this.#events.length;
  }

  /** The earliest event, left in place. */
  peek(): Event | undefined {
    return this.#events[0];
  }

  push(event: Event): void {
    let child = this.#events.length;
    this.#events.push(event);
    this.#arrivals.push(this.#arrived++);
    while (child > 0) {
      const parent = (child - 1) >> 1;
      if (!this.#isBefore(child, parent)) break;
      this.#swap(child, parent);
      child = parent;
    }
  }

  pop(): Event | undefined {
    const first = this.#events[0];
    this.#swap(0, this.#events.length - 1);
    this.#events.pop();
    this.#arrivals.pop();
    const size = this.#events.length;
    for (let parent = 0; ; ) {
      let child = 2 * parent + 1;
      if (child >= size) break;
      if (child + 1 < size && this.#isBefore(child + 1, child)) child++;
      if (!this.#isBefore(child, parent)) break;
      this.#swap(child, parent);
      parent = child;
    }
    return first;
  }

  #isBefore(a: number, b: number): boolean {
    const timeOfA = (this.#events[a] as Event).ktime_ns;
    const timeOfB = (this.#events[b] as Event).ktime_ns;
    return timeOfA === timeOfB ? (this.#arrivals[a] as number) < (this.#arrivals[b] as number) : timeOfA < timeOfB;
  }

  #swap(a: number, b: number): void {
    const event = this.#events[a] as Event;
    this.#events[a] = this.#events[b] as Event;
    this.#events[b] = event;
    const arrival = this.#arrivals[a] as number;
    this.#arrivals[a] = this.#arrivals[b] as number;
    this.#arrivals[b] = arrival;
  }
}

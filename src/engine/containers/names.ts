// Names for containers that were given none: a quality and somebody who moved things, or people, in boxes and ships.

import { randomInt } from 'node:crypto';

const qualities =
  'able agile amber bold brave bright brisk calm candid clever cosy crisp curious daring deft eager early fair fine fond frank gentle glad golden grand happy hardy honest jolly keen kind lively loyal lucid lunar mellow merry mighty modest neat nimble noble patient placid plucky polite proud quick quiet rapid ready rosy serene sharp shiny silent silver simple sly smart snappy solid sound spry stable stoic sturdy sunny swift tidy trusty vivid warm wise witty zesty'.split(
    ' ',
  );
const people =
  'amundsen archimedes bering blackwell brunel cabot clipper coleman cook cousteau curie darwin drake earhart eiffel ericson faraday fulton gagarin galileo goddard harrison henson heyerdahl hopper hudson humboldt ibnbattuta johnson kepler kingsley lovelace magellan maury mclean mercator mitchell nansen newton noether nobile otis pascal piccard polo ptolemy ride scott shackleton somerville stephenson tereshkova tesla tupaia vespucci volta watt whitworth wright yonath zhenghe'.split(
    ' ',
  );

/** `swift_nansen`, with a digit behind it when that is taken. */
export function generateName(taken: (name: string) => boolean): string {
  for (let tries = 0; ; tries++) {
    const name = `${qualities[randomInt(qualities.length)]}_${people[randomInt(people.length)]}${tries > 5 ? randomInt(10 ** Math.min(tries - 5, 9)) : ''}`;
    if (!taken(name)) return name;
  }
}

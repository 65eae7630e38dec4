//! Which points lie around a point.

/// The points of a grid by column and row; places that a mask leaves out are empty.
pub(crate) struct PointGrid {
    columns: usize,
    rows: usize,
    /// Index of the point at `row * columns + column`.
    index: Vec<Option<usize>>,
    /// Column and row of every point.
    places: Vec<(usize, usize)>,
}

impl PointGrid {
    /// The grid of `nodes`, positions that are whole multiples of `step` px apart.
    pub(crate) fn new(nodes: &[(usize, usize)], step: usize) -> Self {
        let left = nodes.iter().map(|node| node.0).min().unwrap_or(0);
        let top = nodes.iter().map(|node| node.1).min().unwrap_or(0);
        let places: Vec<(usize, usize)> = nodes
            .iter()
            .map(|&(x, y)| ((x - left) / step, (y - top) / step))
            .collect();
        let columns = places.iter().map(|place| place.0 + 1).max().unwrap_or(0);
        let rows = places.iter().map(|place| place.1 + 1).max().unwrap_or(0);
        let mut index = vec![None; columns * rows];
        for (i, &(column, row)) in places.iter().enumerate() {
            index[row * columns + column] = Some(i);
        }
        Self {
            columns,
            rows,
            index,
            places,
        }
    }

    /// Columns and rows.
    pub(crate) fn size(&self) -> (usize, usize) {
        (self.columns, self.rows)
    }

    /// The points in the eight directions at `stride` places from point `i`, nearer where the
    /// grid has fewer places.
    pub(crate) fn around(&self, i: usize, stride: usize) -> impl Iterator<Item = usize> + '_ {
        let (column, row) = self.places[i];
        let across = stride.min(self.columns - 1) as isize;
        let down = stride.min(self.rows - 1) as isize;
        let directions = (-1..=1).flat_map(|v| (-1..=1).map(move |u| (u, v)));
        // A grid of one row or column has no neighbours across it.
        let distinct =
            move |&(u, v): &(isize, isize)| (u == 0 || across > 0) && (v == 0 || down > 0);
        directions.filter(distinct).filter_map(move |(u, v)| {
            let column = column.checked_add_signed(u * across)?;
            let row = row.checked_add_signed(v * down)?;
            let inside = column < self.columns && row < self.rows;
            let found = inside.then(|| self.index[row * self.columns + column])??;
            (found != i).then_some(found)
        })
    }

    /// The point in the middle of the block of `side × side` places that holds point `i`.
    pub(crate) fn block_centre(&self, i: usize, side: usize) -> Option<usize> {
        let (column, row) = self.places[i];
        let middle = |place: usize| place / side * side + side / 2;
        let (column, row) = (middle(column), middle(row));
        let inside = column < self.columns && row < self.rows;
        inside.then(|| self.index[row * self.columns + column])?
    }

    /// How many places across and down from point `from` point `to` lies.
    pub(crate) fn places_between(&self, from: usize, to: usize) -> (isize, isize) {
        let (from, to) = (self.places[from], self.places[to]);
        (
            to.0 as isize - from.0 as isize,
            to.1 as isize - from.1 as isize,
        )
    }

    /// The point so many places across and down from point `i`.
    pub(crate) fn at(&self, i: usize, across: isize, down: isize) -> Option<usize> {
        let (column, row) = self.places[i];
        let column = column.checked_add_signed(across)?;
        let row = row.checked_add_signed(down)?;
        let inside = column < self.columns && row < self.rows;
        inside.then(|| self.index[row * self.columns + column])?
    }

    /// The points of the square of `2 reach + 1` places around point `i`, itself among them, each
    /// with its columns and rows from there.
    pub(crate) fn within(
        &self,
        i: usize,
        reach: usize,
    ) -> impl Iterator<Item = (usize, i32, i32)> + '_ {
        let (column, row) = self.places[i];
        let span = |at: usize, count: usize| at.saturating_sub(reach)..(at + reach + 1).min(count);
        let columns = span(column, self.columns);
        span(row, self.rows).flat_map(move |r| {
            columns.clone().filter_map(move |c| {
                let found = self.index[r * self.columns + c]?;
                Some((found, c as i32 - column as i32, r as i32 - row as i32))
            })
        })
    }
}

impl PointGrid {
    /// The points of the square window of `reach` places in every direction, without point `i`.
    pub(crate) fn window(&self, i: usize, reach: usize) -> impl Iterator<Item = usize> + '_ {
        let (column, row) = self.places[i];
        let range = |at: usize, n: usize| at.saturating_sub(reach)..(at + reach + 1).min(n);
        let columns = range(column, self.columns);
        range(row, self.rows)
            .flat_map(move |row| columns.clone().map(move |column| (row, column)))
            .filter_map(move |(row, column)| self.index[row * self.columns + column])
            .filter(move |&found| found != i)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_are_those_that_exist() {
        let nodes: Vec<(usize, usize)> = (0..4)
            .flat_map(|row| (0..5).map(move |column| (7 + 3 * column, 9 + 3 * row)))
            .filter(|&node| node != (10, 9))
            .collect();
        let grid = PointGrid::new(&nodes, 3);
        let at = |i: usize, stride: usize| -> Vec<(usize, usize)> {
            grid.around(i, stride).map(|j| nodes[j]).collect()
        };
        assert_eq!(at(0, 1), [(7, 12), (10, 12)]);
        assert_eq!(at(0, 2), [(13, 9), (7, 15), (13, 15)]);
        assert_eq!(at(0, 99), [(19, 9), (7, 18), (19, 18)]);
        assert_eq!(
            grid.within(0, 1).collect::<Vec<_>>(),
            [(0, 0, 0), (4, 0, 1), (5, 1, 1)]
        );
        assert_eq!(grid.block_centre(0, 3), Some(5));
        assert_eq!(grid.block_centre(3, 3), Some(8));
        assert_eq!(grid.block_centre(18, 3), None);
        let alone = PointGrid::new(&[(5, 5)], 3);
        assert_eq!(alone.around(0, 1).count(), 0);
    }
}
